// Numbers as Prometheus 3 writes them into the labels le and quantile (strconv.FormatFloat 'g', -1;
// OpenMetrics adds ".0").
#pragma once

#include <string>
#include <string_view>

namespace ampari::bench {

std::string FormatOpenMetricsFloat(double value);

// The normalised form of a label's text; unchanged when it is no number.
std::string NormaliseBound(std::string_view text);

// A sample's value in text 0.0.4; false when it is none.
bool ParseSampleValue(std::string_view text, double* value);

}  // namespace ampari::bench
