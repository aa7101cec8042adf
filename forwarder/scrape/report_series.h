// ReportSeries: the synthetic series of a target (`up` and its companions), as Prometheus writes
// them: exactly the target's labels, no relabelling, in this order. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "common/labels/labels.h"
#include "forwarder/scrape/target.h"

namespace ampari {

struct ReportValues {
  bool up = false;
  double duration_seconds = 0;
  uint64_t scraped = 0, post_relabel = 0, added = 0;
  double body_bytes = 0;  // -1 when the body limit was hit
};

// Labels of the report series, the extra ones included where the job wants them.
std::vector<Labels> ReportLabels(const Target& target);
// Their values as bits, in the same order.
std::vector<uint64_t> ReportBits(const Target& target, const ReportValues& values);

}  // namespace ampari
