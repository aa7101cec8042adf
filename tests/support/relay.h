// Relay: stands between forwarders and a gateway as a plaintext gRPC proxy of raw messages, records
// what is promised (RelayRecord), and breaks the connection in the ways that tests ask for.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ampari {

struct RelayOptions {
  std::string listen_address = "127.0.0.1:0";
  std::string gateway_address;
  std::string record_file;  // empty: nothing is recorded
};

// Thread-safe.
class Relay {
 public:
  static absl::StatusOr<std::unique_ptr<Relay>> Start(const RelayOptions& options);
  ~Relay();  // cuts what is open

  // host:port
  std::string address() const;
  // Breaks every open stream, as a lost connection does.
  void Cut();
  // Nothing is passed on, in either direction, until it is released.
  void Hold(bool hold);
  // Acknowledgements are recorded and not passed on; Welcomes still are.
  void DropAcks(bool drop);
  // New streams are refused as unavailable.
  void Refuse(bool refuse);
  int open_streams() const;

 private:
  class Core;
  explicit Relay(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
