#include "common/labels/quote.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_format.h"

namespace ampari {
namespace {

struct Range {
  char32_t first, last;
};

// Beyond ASCII: controls, spaces other than U+0020, format characters, private use and
// non-characters of the blocks that occur in practice (Unicode categories Z and C).
constexpr Range kNotPrintable[] = {
    {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},     {0x1680, 0x1680},
    {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},   {0x205f, 0x206f},
    {0x3000, 0x3000}, {0xe000, 0xf8ff}, {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

bool IsPrintable(char32_t c) {
  if (c < 0x20) return false;
  return std::none_of(std::begin(kNotPrintable), std::end(kNotPrintable),
                      [c](Range range) { return c >= range.first && c <= range.last; });
}

// The letter of a two-character escape, 0 when there is none.
char ShortEscape(char32_t c) {
  constexpr std::string_view kCodes = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  const size_t at = c < 0x80 ? kCodes.find(static_cast<char>(c)) : std::string_view::npos;
  return at == std::string_view::npos ? '\0' : kLetters[at];
}

}  // namespace

size_t DecodeUtf8(std::string_view text, char32_t* code_point) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) {
    *code_point = first;
    return 1;
  }
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  char32_t c = first & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return 0;
    c = (c << 6) | (byte & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kSmallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
  *code_point = c;
  return size;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    char32_t ignored = 0;
    const size_t size = DecodeUtf8(text, &ignored);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void AppendUtf8(char32_t c, std::string* out) {
  const auto tail = [&](int shift) { *out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xc0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    *out += static_cast<char>(0xe0 | (c >> 12));
    tail(6), tail(0);
  } else {
    *out += static_cast<char>(0xf0 | (c >> 18));
    tail(12), tail(6), tail(0);
  }
}

void AppendQuoted(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    char32_t c = 0;
    const size_t size = DecodeUtf8(text, &c);
    if (size == 0) {
      absl::StrAppendFormat(out, "\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (const char letter = ShortEscape(c); letter != '\0') {
      *out += '\\';
      *out += letter;
    } else if (IsPrintable(c)) {
      out->append(text.substr(0, size));
    } else if (c < 0x80) {
      absl::StrAppendFormat(out, "\\x%02x", static_cast<uint32_t>(c));
    } else if (c < 0x10000) {
      absl::StrAppendFormat(out, "\\u%04x", static_cast<uint32_t>(c));
    } else {
      absl::StrAppendFormat(out, "\\U%08x", static_cast<uint32_t>(c));
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  *out += '"';
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendQuoted(text, &out);
  return out;
}

}  // namespace ampari
