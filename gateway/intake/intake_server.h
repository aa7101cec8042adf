// IntakeServer: the gRPC service that forwarders connect to; its streams are ShipStream.
//
// Threads: gRPC's own run the reactors, which never block; one AckPump. A reactor is made for each
// call and deletes itself in OnDone, when gRPC has nothing further for it; before that its stream
// has been told OnGone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/runtime/clock.h"
#include "gateway/intake/intake_status.h"
#include "gateway/intake/stream_budget.h"
#include "gateway/store/store.h"
#include "gateway/tenants/entries.h"

namespace ampari {

struct IntakeOptions {
  std::string listen_address;  // host:port; port 0 takes a free one
  bool insecure = false;       // plaintext; otherwise both files are needed
  std::string cert_file, key_file;
  IntakeLimits limits;
};

// Thread-safe. `entries`, `store` and `clock` must outlive it.
class IntakeServer {
 public:
  // InvalidArgument for credentials, Unavailable when the address cannot be bound; the message
  // names it.
  static absl::StatusOr<std::unique_ptr<IntakeServer>> Start(const IntakeOptions& options,
                                                             const Entries& entries, Store& store,
                                                             const Clock& clock);
  ~IntakeServer();  // Stop()
  IntakeServer(const IntakeServer&) = delete;
  IntakeServer& operator=(const IntakeServer&) = delete;

  // Reads no further, waits up to two seconds for what was read to be acknowledged, then tells
  // every stream that the gateway stops. Takes five seconds more at most. The store must still be
  // open.
  void Stop();

  uint16_t port() const;
  IntakeStatus status() const;

 private:
  class Core;
  explicit IntakeServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
