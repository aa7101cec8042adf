// LogShipper: keeps frames of logs in a bounded ring, streams them to the gateway, and turns what
// the gateway says of positions into directions for whoever reads the files.
//
// The forwarder holds no positions of its own: the gateway tells all of them with the welcome. A
// frame whose `from` is not the stored position is refused; then that frame and all that were
// pushed after it are forgotten, and their files are to be read again (proto/README.md, "Logs").
// How the directions come about is in log_cargo.h; what a full ring cannot take is not read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "forwarder/shipping/log_directions.h"
#include "forwarder/shipping/shipping_options.h"

namespace ampari {

// Thread-safe. Owns its threads as MetricsShipper does. `clock` must outlive it.
class LogShipper {
 public:
  // `wake` is called, on any thread, when there are directions, when room came, and when something
  // was acknowledged.
  LogShipper(ShippingOptions options, const Clock& clock, std::function<void()> wake);
  ~LogShipper();  // Stop(zero) if it was not called
  LogShipper(const LogShipper&) = delete;
  LogShipper& operator=(const LogShipper&) = delete;

  void Start();  // nothing after Stop()
  // What is to be taken over, in order; nullopt: nothing. Before the first ones nothing may be
  // pushed.
  std::optional<LogDirections> TakeDirections();
  // Whether the ring takes another frame: it is the only buffer, so when it is full nothing is
  // read.
  bool HasRoom() const;
  // False when the flush is of an older round: it is forgotten, and the directions say where to
  // read.
  bool Push(LogFlush flush);
  // Everything of these files was pushed and they are gone: their positions are retired once all
  // that was pushed so far is acknowledged. Told again by nobody, but for files that directions
  // name after it: those have to be read again, or retired again.
  void Retire(std::vector<std::string> keys);
  // Goes to another gateway by the rules of GatewayMove; its own address: stays. Positions go with
  // it: the new one is told how far the files were read.
  void MoveTo(const std::string& address);
  ShippingStatus status() const;  // samples are lines
  // Says that it is draining and waits until everything is acknowledged or `grace` is over.
  absl::Status Stop(absl::Duration grace);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
