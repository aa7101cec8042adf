// Listening sockets from host:port text.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/runtime/unique_fd.h"

namespace ampari {

struct ListenSocket {
  UniqueFd fd;  // non-blocking, listening
  uint16_t port = 0;
};

// `address`: host:port, [v6]:port or :port (every address); a host name is resolved, the first that
// binds is taken. InvalidArgument for other text, Unavailable (naming the address) when it cannot
// be bound.
absl::StatusOr<ListenSocket> Listen(const std::string& address);

// Numeric address without port; empty for other families.
std::string AddressText(const sockaddr* address);
bool IsLoopback(const sockaddr* address);

}  // namespace ampari
