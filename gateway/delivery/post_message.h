// PostMessage: the HTTP message that carries a body to a destination. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/http/loop.h"

namespace ampari {

// What does not change from request to request of one configuration.
class PostMessage {
 public:
  struct Settings {
    std::string url;
    HttpClientOptions http;
    absl::Duration timeout;
    std::vector<std::pair<std::string, std::string>> headers;  // of the protocol
  };
  // A `tenant` becomes X-Scope-OrgID unless the configuration has that header.
  PostMessage(const std::string& tenant, Settings settings);

  // `retry`: 0 for the first send, then 1, 2, … `frames`: for X-Ampari-Frames, empty: without.
  HttpRequest Make(std::shared_ptr<const std::string> body, uint32_t retry,
                   std::string frames) const;

 private:
  std::string url_;
  absl::Duration timeout_;
  std::shared_ptr<const HttpClientOptions> options_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace ampari
