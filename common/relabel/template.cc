#include "common/relabel/template.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/labels/quote.h"
#include "common/relabel/unicode_case.h"

namespace ampari {
namespace {

constexpr int kNoGroup = -1;
constexpr int kMaxGroupNumber = 100'000'000;  // Go stops reading digits here

size_t NameLength(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    char32_t c = 0;
    const size_t size = DecodeUtf8(text.substr(length), &c);
    if (size == 0 || !(c == '_' || IsLetterOrDigit(c))) break;
    length += size;
  }
  return length;
}

// The index of the group that a name after $ means, kNoGroup when there is none.
int GroupIndex(std::string_view name, const re2::RE2& regex) {
  const bool number = name.size() <= 9 && (name[0] != '0' || name.size() == 1) &&
                      std::all_of(name.begin(), name.end(), absl::ascii_isdigit);
  if (number) {
    int index = 0;
    for (const char digit : name) index = index * 10 + (digit - '0');
    return index < kMaxGroupNumber && index <= regex.NumberOfCapturingGroups() ? index : kNoGroup;
  }
  const auto& names = regex.NamedCapturingGroups();
  const auto found = names.find(std::string(name));
  return found == names.end() ? kNoGroup : found->second;
}

// Takes the name of `text`, which follows a $, off its front; false when there is none.
bool TakeReference(std::string_view* text, std::string_view* name) {
  const bool brace = !text->empty() && text->front() == '{';
  std::string_view rest = brace ? text->substr(1) : *text;
  const size_t length = NameLength(rest);
  if (length == 0) return false;
  *name = rest.substr(0, length);
  rest.remove_prefix(length);
  if (brace) {
    if (rest.empty() || rest.front() != '}') return false;
    rest.remove_prefix(1);
  }
  *text = rest;
  return true;
}

}  // namespace

ExpansionTemplate::ExpansionTemplate(std::string_view text, const re2::RE2& regex) {
  while (!text.empty()) {
    const size_t dollar = std::min(text.find('$'), text.size());
    AddLiteral(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    std::string_view name;
    if (!text.empty() && text.front() == '$') {
      AddLiteral("$");
      text.remove_prefix(1);
    } else if (!TakeReference(&text, &name)) {
      AddLiteral("$");
    } else {
      ++groups_;
      const int group = GroupIndex(name, regex);
      if (group != kNoGroup) pieces_.push_back({"", group});
    }
  }
}

void ExpansionTemplate::AddLiteral(std::string_view text) {
  if (text.empty()) return;
  if (pieces_.empty() || pieces_.back().group != -1) pieces_.emplace_back();
  pieces_.back().literal += text;
}

std::string ExpansionTemplate::Expand(std::span<const re2::StringPiece> groups) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.group < 0) {
      out += piece.literal;
    } else if (static_cast<size_t>(piece.group) < groups.size()) {
      const re2::StringPiece& group = groups[static_cast<size_t>(piece.group)];
      out.append(group.data() == nullptr ? "" : group.data(), group.size());
    }
  }
  return out;
}

}  // namespace ampari
