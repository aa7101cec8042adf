// LogShipper: keeps frames of logs in a bounded ring, streams them to the gateway, and turns what
// the gateway says of positions into directions for whoever reads the files.
//
// The forwarder holds no positions of its own: the gateway tells all of them with the welcome. A
// frame whose `from` is not the stored position is refused; then that frame and all that were
// pushed after it are forgotten, and their files are to be read again (proto/README.md, "Logs").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/frame/log_frame.h"
#include "common/runtime/clock.h"
#include "forwarder/shipping/metrics_shipper.h"

namespace ampari {

// Where to read a file on from.
struct FileStart {
  std::string key;
  LogPosition from;
  bool known = true;  // by the gateway; false: the next part of it says `first`
};

// What the reader must take over before it pushes again. Later ones replace nothing of earlier
// ones.
struct LogDirections {
  uint64_t round = 0;  // of the next Push
  bool all =
      false;  // `files` is everything that the gateway knows; files that are not in it are unknown
  std::vector<FileStart> files;
  absl::Duration producer_age;  // with `all`: since the producer's first contact with this gateway
};

// One frame to be. The shipper numbers it.
struct LogFlush {
  uint64_t round = 0;  // of the directions that it was read under; an older one is ignored
  std::string frame;   // LogFrameBuilder::Finish with any sequence
  uint64_t lines = 0;
  std::vector<LogFilePart> files;
};

// Thread-safe. Owns its threads as MetricsShipper does. `clock` must outlive it.
class LogShipper {
 public:
  // `wake` is called, on any thread, when there are directions, when room came, and when something
  // was acknowledged.
  LogShipper(ShippingOptions options, const Clock& clock, std::function<void()> wake);
  ~LogShipper();  // Stop(zero) if it was not called
  LogShipper(const LogShipper&) = delete;
  LogShipper& operator=(const LogShipper&) = delete;

  void Start();
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
  // that was pushed so far is acknowledged. Told again by nobody.
  void Retire(std::vector<std::string> keys);
  ShippingStatus status() const;  // samples are lines
  // Says that it is draining and waits until everything is acknowledged or `grace` is over.
  absl::Status Stop(absl::Duration grace);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
