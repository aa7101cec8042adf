// LineOutlet: where the lines of one target's files go: through its plan into the flush.
#pragma once

#include <cstdint>

#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/line_plan.h"

namespace ampari {

// Of one file, or of all.
struct LineCounts {
  uint64_t read_bytes = 0;
  uint64_t lines = 0;     // that are shipped
  uint64_t filtered = 0;  // by a rule of drop
  uint64_t sampled = 0;   // left out by a rule of sample
  uint64_t cut = 0, refused = 0;
  uint64_t unparsed = 0;  // neither CRI's nor Docker's; shipped as they are

  LineCounts& operator+=(const LineCounts& other);
};

// Not thread-safe. Plan and collector must outlive it.
class LineOutlet {
 public:
  // Full: when the collector holds so many bytes.
  LineOutlet(LinePlan& plan, FlushCollector& collector, size_t full_bytes)
      : plan_(plan), collector_(collector), full_bytes_(full_bytes) {}

  void Take(const JoinedLine& line, LineCounts* counts);
  bool full() const { return collector_.raw_bytes() >= full_bytes_; }

 private:
  LinePlan& plan_;
  FlushCollector& collector_;
  const size_t full_bytes_;
};

}  // namespace ampari
