#include "common/relabel/regex.h"

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

// The length of the construct at the front of `regex` in which a parenthesis is plain text: an
// escape, a \Q…\E quotation or a character class. 0 when there is none.
size_t LiteralLength(std::string_view regex) {
  if (regex[0] == '\\') {
    if (!regex.starts_with("\\Q")) return std::min<size_t>(2, regex.size());
    const size_t end = regex.find("\\E", 2);
    return end == std::string_view::npos ? regex.size() : end + 2;
  }
  if (regex[0] != '[') return 0;
  size_t at = regex.starts_with("[^") ? 2 : 1;
  if (at < regex.size() && regex[at] == ']') ++at;  // the first ] of a class is a member
  while (at < regex.size() && regex[at] != ']') {
    if (regex.substr(at).starts_with("[:")) {
      const size_t end = regex.find(":]", at + 2);
      at = end == std::string_view::npos ? at + 1 : end + 2;
    } else {
      at += regex[at] == '\\' ? 2 : 1;
    }
  }
  return std::min(at + 1, regex.size());
}

bool BeginsNamedGroup(std::string_view regex) {
  return regex.starts_with("(?<") && !regex.starts_with("(?<=") && !regex.starts_with("(?<!");
}

}  // namespace

std::string RewriteNamedGroups(std::string_view regex) {
  std::string out;
  while (!regex.empty()) {
    const size_t literal = LiteralLength(regex);
    if (literal == 0 && BeginsNamedGroup(regex)) {
      out += "(?P<";
      regex.remove_prefix(3);
      continue;
    }
    const size_t taken = std::max<size_t>(literal, 1);
    out += regex.substr(0, taken);
    regex.remove_prefix(taken);
  }
  return out;
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileRelabelRegex(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexBytes);
  auto regex = std::make_shared<const re2::RE2>(
      absl::StrCat("^(?s:", RewriteNamedGroups(text), ")$"), options);
  if (!regex->ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid regex ", Quoted(text), ": ", regex->error()));
  }
  return regex;
}

}  // namespace ampari
