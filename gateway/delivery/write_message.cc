#include "gateway/delivery/write_message.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
WriteMessage::WriteMessage(std::string tenant, const RemoteWriteConfig& config)
    : tenant_(std::move(tenant)),
      frame_header_(config.send_frame_header),
      message_(tenant_, {config.url,
                         config.http,
                         config.remote_timeout,
                         {{"Content-Encoding", "snappy"},
                          {"Content-Type", "application/x-protobuf"},
                          {"X-Prometheus-Remote-Write-Version", "0.1.0"}}}) {}

HttpRequest WriteMessage::Make(std::shared_ptr<const std::string> body, uint32_t retry,
                               uint32_t lane, const RequestPlan* plan) const {
  const bool framed = frame_header_ && plan != nullptr;
  return message_.Make(std::move(body), retry,
                       framed ? FrameHeaderValue(tenant_, lane, *plan) : "");
}

std::string FrameHeaderValue(const std::string& tenant, uint32_t lane, const RequestPlan& plan) {
  uint64_t first = std::numeric_limits<uint64_t>::max(), last = 0;
  for (const GroupSlice& slice : plan.slices) {
    for (uint32_t c = slice.column; c < slice.column_upto; ++c) {
      first = std::min(first, slice.group->columns[c].record);
      last = std::max(last, slice.group->columns[c].record);
    }
  }
  return absl::StrCat(tenant, "/metrics;lane=", lane, ";frames=", first, "-", last);
}

}  // namespace ampari
