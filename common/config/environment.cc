#include "common/config/environment.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

bool BeginsName(char c) { return c == '_' || absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool ContinuesName(char c) {
  return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c));
}

// `*rest` begins with ${ and a letter; takes the reference off its front.
absl::StatusOr<std::string> TakeVariable(std::string_view* rest) {
  const std::string_view inside = rest->substr(2);
  const auto end = std::find_if_not(inside.begin(), inside.end(), ContinuesName);
  const std::string name(inside.begin(), end);
  if (end == inside.end() || *end != '}') {
    return absl::InvalidArgumentError(
        absl::StrCat("${", name, "…: only ${NAME} is expanded; write $$ for a plain $"));
  }
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("the environment variable ", name,
                                                   " is not set; set it, or write $${", name,
                                                   "} for plain text"));
  }
  rest->remove_prefix(2 + name.size() + 1);
  return std::string(value);
}

}  // namespace

absl::StatusOr<std::string> ExpandEnvironment(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${") && text.size() > 2 && BeginsName(text[2])) {
      absl::StatusOr<std::string> value = TakeVariable(&text);
      if (!value.ok()) return value;
      out += *value;
    } else {
      out += text[0];
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string EnvironmentOr(const std::string& name, std::string fallback) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::move(fallback) : std::string(value);
}

}  // namespace ampari
