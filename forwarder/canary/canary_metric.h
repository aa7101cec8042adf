// The canary's one metric as what the scraping stage would hand over: a series of its own with one
// sample, and its staleness marker. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/labels/labels.h"
#include "forwarder/shipping/shipment.h"

namespace ampari {

inline constexpr char kCanaryMetric[] = "ampari_canary_timestamp_seconds";
inline constexpr uint64_t kCanarySamples = 2;  // the sample and its marker

// ampari_canary_timestamp_seconds{canary="<id>", instance="<forwarder>", job="ampari-canary"} with
// the external labels it does not have itself.
Labels CanarySeries(std::string_view id, std::string_view forwarder, const Labels& external);

// Registers the series and carries one sample: its own time, in seconds.
Shipment CanarySample(const Labels& series, int64_t timestamp_ms);
// Ends and retires it.
Shipment CanaryEnd(int64_t timestamp_ms);

}  // namespace ampari
