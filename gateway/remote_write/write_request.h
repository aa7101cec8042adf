// WriteRequestEncoder: bodies of remote write 1.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec/): a prometheus.WriteRequest,
// proto/prometheus/remote.proto, in the snappy block format.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/frame/scrape.h"
#include "gateway/remote_write/request_plan.h"
#include "gateway/remote_write/snappy_writer.h"

namespace ampari {

// Compresses as it writes: a series' labels are copies of the series before it, which its layout
// has found already (LabelCopy), so nothing is searched. Not thread-safe; its buffers are reused
// from request to request and stay as large as the largest one. The same plan always gives the same
// bytes.
class WriteRequestEncoder {
 public:
  // The compressed body. Series in order of the plan's positions, samples of a series in order of
  // its columns.
  std::string Encode(const RequestPlan& plan);
  // A request that holds metadata alone.
  std::string EncodeMetadata(std::span<const FamilyMetadata> families);

 private:
  SnappyWriter writer_;
  std::vector<LabelCopy> scratch_;
};

}  // namespace ampari
