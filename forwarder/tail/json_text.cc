#include "forwarder/tail/json_text.h"

#include <cstdint>
#include <cstring>

#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsSpace(c); }
bool IsNoScalar(char c) { return c == '{' || c == '[' || c == '"' || c == ':'; }

// Four hexadecimal digits at the beginning of `text`.
bool HexUnit(std::string_view text, uint32_t* out) {
  if (text.size() < 4) return false;
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    const char c = text[i];
    const auto lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value << 4 | static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return false;
    }
  }
  *out = value;
  return true;
}

bool IsHighSurrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// `text` begins behind \u. Appends the character and returns the bytes used; 0: it is no escape.
size_t AppendUnit(std::string_view text, std::string* out) {
  uint32_t unit = 0, low = 0;
  if (!HexUnit(text, &unit)) return 0;
  if (IsHighSurrogate(unit) && text.substr(4, 2) == "\\u" && HexUnit(text.substr(6), &low) &&
      IsLowSurrogate(low)) {
    AppendUtf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
    return 10;
  }
  AppendUtf8(IsHighSurrogate(unit) || IsLowSurrogate(unit) ? kReplacement : unit, out);
  return 4;
}

char PlainEscape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case '"':
    case '\\':
    case '/':
      return c;
    default:
      return '\0';
  }
}

}  // namespace

void JsonText::SkipSpace() {
  size_t at = 0;
  while (at < rest_.size() && IsSpace(rest_[at])) ++at;
  rest_.remove_prefix(at);
}

bool JsonText::done() {
  SkipSpace();
  return rest_.empty();
}

bool JsonText::AtMark(char mark) {
  SkipSpace();
  return rest_.starts_with(mark);
}

bool JsonText::TakeMark(char mark) {
  if (!AtMark(mark)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonText::TakeString(std::string_view* out) {
  if (!AtString()) return false;
  size_t at = 1;
  while (true) {
    const void* quote = std::memchr(rest_.data() + at, '"', rest_.size() - at);
    if (quote == nullptr) return false;
    const auto end = static_cast<size_t>(static_cast<const char*>(quote) - rest_.data());
    size_t backslashes = 0;
    while (end - backslashes > 1 && rest_[end - 1 - backslashes] == '\\') ++backslashes;
    at = end + 1;
    if (backslashes % 2 == 0) {
      *out = rest_.substr(1, end - 1);
      rest_.remove_prefix(at);
      return true;
    }
  }
}

bool JsonText::TakeScalar(std::string_view* out) {
  SkipSpace();
  size_t end = 0;
  for (; end < rest_.size() && !EndsScalar(rest_[end]); ++end) {
    if (IsNoScalar(rest_[end])) return false;
  }
  *out = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return end > 0;
}

bool JsonText::SkipNested() {
  int depth = 0;
  std::string_view passed;
  do {
    if (AtString()) {
      if (!TakeString(&passed)) return false;
      continue;
    }
    SkipSpace();
    if (rest_.empty()) return false;
    const char c = rest_[0];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return false;
    rest_.remove_prefix(1);
  } while (depth > 0);
  return true;
}

bool JsonText::SkipValue() {
  std::string_view passed;
  if (AtString()) return TakeString(&passed);
  if (rest_.starts_with('{') || rest_.starts_with('[')) return SkipNested();
  return TakeScalar(&passed);
}

void UnescapeJson(std::string_view escaped, std::string* out) {
  out->clear();
  out->reserve(escaped.size());
  while (!escaped.empty()) {
    const size_t slash = escaped.find('\\');
    out->append(escaped.substr(0, slash));
    if (slash == std::string_view::npos || slash + 1 == escaped.size()) {
      if (slash != std::string_view::npos) out->push_back('\\');
      return;
    }
    const char c = escaped[slash + 1];
    escaped.remove_prefix(slash + 2);
    if (c == 'u') {
      const size_t used = AppendUnit(escaped, out);
      if (used == 0) out->append("\\u");
      escaped.remove_prefix(used);
    } else if (const char plain = PlainEscape(c); plain != '\0') {
      out->push_back(plain);
    } else {
      out->push_back('\\');
      out->push_back(c);
    }
  }
}

}  // namespace ampari
