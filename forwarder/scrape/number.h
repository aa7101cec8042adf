// Numbers of the exposition formats. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ampari {

// Go's strconv.ParseFloat as Prometheus' parsers use it: sign, decimal digits, fraction, exponent;
// inf, infinity and nan in any case (nan without a sign); no hexadecimal, no underscore. False when
// malformed or beyond the range of a double.
bool ParseGoFloat(std::string_view text, double* out);

// The bits of `value`; every NaN becomes kNormalNanBits.
uint64_t CanonicalBits(double value);

// Decimal digits only, as text timestamps are written. False when empty, malformed or above 2^63
// - 1.
bool ParseDigits(std::string_view text, int64_t* out);

// How Prometheus 3 writes the values of `le` and `quantile` (model/labels/float.go): Go's shortest
// 'g' with ".0" added when it has neither a point nor an exponent; NaN, +Inf, -Inf.
std::string FormatOpenMetricsFloat(double value);

}  // namespace ampari
