#include "forwarder/tail/line_outlet.h"

namespace ampari {
LineCounts& LineCounts::operator+=(const LineCounts& other) {
  read_bytes += other.read_bytes;
  lines += other.lines;
  filtered += other.filtered;
  sampled += other.sampled;
  cut += other.cut;
  refused += other.refused;
  unparsed += other.unparsed;
  return *this;
}

void LineOutlet::Take(const JoinedLine& line, LineCounts* counts) {
  PlannedLine planned;
  switch (plan_.Plan(line, &planned)) {
    case LineFate::kKept:
      break;
    case LineFate::kDropped:
      ++counts->filtered;
      return;
    case LineFate::kSampledOut:
      ++counts->sampled;
      return;
    case LineFate::kTooLong:
      ++counts->refused;
      return;
  }
  if (line.cut) ++counts->cut;
  ++counts->lines;
  collector_.AddLine(*planned.labels, line.time_ns, line.text, *planned.metadata);
}

}  // namespace ampari
