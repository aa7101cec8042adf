// Addresses as configurations write them: host:port, [v6]:port. Pure, no name is resolved.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ampari {

struct HostPort {
  std::string host;  // without brackets; empty: every interface
  uint16_t port = 0;
};

// InvalidArgument tells the form.
absl::StatusOr<HostPort> ParseHostPort(std::string_view address);
// localhost, 127.0.0.0/8 or ::1.
bool IsLoopbackHost(const std::string& host);

}  // namespace ampari
