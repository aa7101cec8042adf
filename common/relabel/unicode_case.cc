#include "common/relabel/unicode_case.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

// Null when the system has no such locale. Lives for the whole process.
locale_t UnicodeLocale() {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLocale;
}

char32_t ToLower(char32_t c) {
  if (c < 0x80) return static_cast<char32_t>(absl::ascii_tolower(static_cast<unsigned char>(c)));
  const locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), locale));
}

char32_t ToUpper(char32_t c) {
  if (c < 0x80) return static_cast<char32_t>(absl::ascii_toupper(static_cast<unsigned char>(c)));
  const locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), locale));
}

std::string MapText(std::string_view text, char32_t (*map)(char32_t)) {
  constexpr char32_t kReplacement = 0xfffd;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t c = kReplacement;
    const size_t size = DecodeUtf8(text, &c);
    AppendUtf8(size == 0 ? kReplacement : map(c), &out);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return out;
}

}  // namespace

std::string ToLowerText(std::string_view text) { return MapText(text, ToLower); }

std::string ToUpperText(std::string_view text) { return MapText(text, ToUpper); }

bool IsLetterOrDigit(char32_t c) {
  if (c < 0x80) return absl::ascii_isalnum(static_cast<unsigned char>(c));
  const locale_t locale = UnicodeLocale();
  return locale != nullptr && iswalnum_l(static_cast<wint_t>(c), locale) != 0;
}

}  // namespace ampari
