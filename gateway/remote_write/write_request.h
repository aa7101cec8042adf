// WriteRequestEncoder: bodies of remote write 1.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec/): a prometheus.WriteRequest,
// proto/prometheus/remote.proto, in the snappy block format.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/frame/scrape.h"
#include "gateway/remote_write/request_plan.h"

namespace ampari {

// Not thread-safe; its buffers are reused from request to request and stay as large as the largest
// one. The same plan always gives the same bytes.
class WriteRequestEncoder {
 public:
  // The compressed body. Series in order of the plan's positions, samples of a series in order of
  // its columns.
  std::string Encode(const RequestPlan& plan);
  // A request that holds metadata alone.
  std::string EncodeMetadata(std::span<const FamilyMetadata> families);

  // What the last Encode() compressed; valid until the next one.
  std::string_view plain() const { return {plain_.get(), plain_size_}; }

 private:
  void Reserve(size_t bytes);
  std::string Compress();

  std::unique_ptr<char[]> plain_, compressed_;
  size_t plain_capacity_ = 0, plain_size_ = 0, compressed_capacity_ = 0;
};

}  // namespace ampari
