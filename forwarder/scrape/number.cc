#include "forwarder/scrape/number.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/frame/scrape.h"

namespace ampari {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// `lower` is in lower case.
bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Consumes digits from `text` and tells how many.
size_t SkipDigits(std::string_view& text) {
  size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  text.remove_prefix(n);
  return n;
}

// True for digits [. digits] [e [sign] digits] with at least one digit before the exponent.
bool IsDecimal(std::string_view text) {
  size_t digits = SkipDigits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    digits += SkipDigits(text);
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return SkipDigits(text) > 0 && text.empty();
}

// from_chars reports overflow and underflow alike; Go fails only on overflow.
bool ParseExtreme(std::string_view text, double* out) {
  *out = std::strtod(std::string(text).c_str(), nullptr);
  return std::isfinite(*out);
}

bool ParseUnsigned(std::string_view text, double* out) {
  if (EqualsIgnoreCase(text, "inf") || EqualsIgnoreCase(text, "infinity")) {
    *out = HUGE_VAL;
    return true;
  }
  if (!IsDecimal(text)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range) return ParseExtreme(text, out);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*out);
}

}  // namespace

bool ParseGoFloat(std::string_view text, double* out) {
  if (EqualsIgnoreCase(text, "nan")) {
    *out = std::bit_cast<double>(kNormalNanBits);
    return true;
  }
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (!ParseUnsigned(text, out)) return false;
  if (negative) *out = -*out;
  return true;
}

uint64_t CanonicalBits(double value) {
  return std::isnan(value) ? kNormalNanBits : std::bit_cast<uint64_t>(value);
}

bool ParseDigits(std::string_view text, int64_t* out) {
  if (text.empty() || !IsDigit(text[0])) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

std::string FormatOpenMetricsFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Go's 'g' in its shortest form takes %e when the exponent is below -4 or at least 6
  // (strconv/ftoa.go, formatDigits).
  std::array<char, 512> buffer;
  char* const first = buffer.data();
  char* const last = first + buffer.size();
  std::string text(first, std::to_chars(first, last, value, std::chars_format::scientific).ptr);
  const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
  if (exponent >= -4 && exponent < 6) {
    text.assign(first, std::to_chars(first, last, value, std::chars_format::fixed).ptr);
  }
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace ampari
