// The HTTP message of a remote-write request: headers exactly as the specification
// (https://prometheus.io/docs/specs/prw/remote_write_spec/). Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gateway/config.h"
#include "gateway/delivery/post_message.h"
#include "gateway/remote_write/request_plan.h"

namespace ampari {

// What does not change from request to request of one configuration.
class WriteMessage {
 public:
  WriteMessage(std::string tenant, const RemoteWriteConfig& config);

  // `retry`: 0 for the first send, then 1, 2, … `plan`: null for metadata.
  HttpRequest Make(std::shared_ptr<const std::string> body, uint32_t retry, uint32_t lane,
                   const RequestPlan* plan) const;

 private:
  std::string tenant_;
  bool frame_header_ = false;
  PostMessage message_;
};

// `<tenant>/metrics;lane=<n>;frames=<first>-<last>` in queue sequences.
std::string FrameHeaderValue(const std::string& tenant, uint32_t lane, const RequestPlan& plan);

}  // namespace ampari
