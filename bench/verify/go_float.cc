#include "bench/verify/go_float.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace ampari::bench {
namespace {

// Shortest decimal digits and exponent: 0.d1d2d3… * 10^point.
void ShortestDigits(double value, std::string* digits, int* point) {
  char text[40];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const std::string_view all(text, static_cast<size_t>(end - text));
  const size_t e = all.find('e');
  for (const char c : all.substr(0, e)) {
    if (c != '.') *digits += c;
  }
  *point = std::atoi(std::string(all.substr(e + 1)).c_str()) + 1;
  while (digits->size() > 1 && digits->back() == '0') digits->pop_back();
}

std::string Scientific(const std::string& digits, int exponent) {
  std::string out = digits.substr(0, 1);
  if (digits.size() > 1) out += "." + digits.substr(1);
  const std::string number = std::to_string(std::abs(exponent));
  return out + (exponent < 0 ? "e-" : "e+") + (number.size() < 2 ? "0" : "") + number;
}

std::string Plain(const std::string& digits, int point) {
  if (point <= 0) return "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  const auto whole = static_cast<size_t>(point);
  if (digits.size() <= whole) return digits + std::string(whole - digits.size(), '0') + ".0";
  return digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::string FormatOpenMetricsFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  std::string digits;
  int point = 0;
  ShortestDigits(std::fabs(value), &digits, &point);
  const int exponent = point - 1;
  const bool scientific = exponent < -4 || exponent >= 6;  // Go's rule for the shortest form
  const std::string sign = value < 0 ? "-" : "";
  return sign + (scientific ? Scientific(digits, exponent) : Plain(digits, point));
}

bool ParseSampleValue(std::string_view text, double* value) {
  if (text == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (text == "+Inf" || text == "-Inf" || text == "Inf") {
    *value = text[0] == '-' ? -std::numeric_limits<double>::infinity()
                            : std::numeric_limits<double>::infinity();
    return true;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc::result_out_of_range) return false;
  return error == std::errc() && end == text.data() + text.size();
}

std::string NormaliseBound(std::string_view text) {
  double value = 0;
  return ParseSampleValue(text, &value) ? FormatOpenMetricsFloat(value) : std::string(text);
}

}  // namespace ampari::bench
