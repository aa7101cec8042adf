// What intake hands to the store, and how it hears of it. Plain values, and the one way back:
// StreamSink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/frame/log_frame.h"
#include "common/labels/labels.h"
#include "gateway/store/log_positions.h"
#include "gateway/store/record.h"

namespace ampari {

// What a hello says, with the identity that the credential gave.
struct HelloRequest {
  std::string tenant;
  std::string entry;
  Labels enforced_labels;
  std::string forwarder_name;
  std::string instance_id;  // 16 bytes
  std::string peer;         // address, for alarms
  Signal signal = Signal::kMetrics;
  bool draining = false;
  uint64_t first_sequence = 0, last_sequence = 0;
  uint64_t first_waited_ms = 0, last_waited_ms = 0;
  uint64_t acknowledged = 0, settled = 0;
  std::string store_id;  // empty: never welcomed
};

// Values as ampari.v1.Welcome.Found.
enum class HelloFound : uint8_t {
  kNew = 1,
  kKnown = 2,
  kRolledBack = 3,
  kForgotten = 4,
  kOtherStore = 5,
  kRefused = 6,
};

struct WelcomeReply {
  HelloFound found = HelloFound::kRefused;
  std::string store_id;
  uint64_t epoch = 0, mark = 0, settled = 0;
  bool superseded = false;
  bool admitted = true;  // false: frames are taken once an older instance has drained
  std::string refused;   // words for kRefused
  // Of a stream of logs that is taken: all files of the producer, and how long it is known.
  std::shared_ptr<const std::vector<StoredPosition>> positions;
  uint64_t producer_age_ms = 0;
};

struct FrameRefusal {
  enum class Reason : uint8_t { kOversize = 1, kMalformed = 2, kPosition = 3, kSequence = 4 };
  uint64_t sequence = 0;
  Reason reason = Reason::kMalformed;
  std::string message;
  // With kPosition: frames of lower rounds are ignored from now on, and where the files stand.
  uint32_t round = 0;
  std::vector<RefusedFile> files;
};

// The way back to one open stream. Called by the committer thread, after the sync and without a
// lock of the store; must not block and must not call back into the store.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void OnWelcome(const WelcomeReply& welcome) = 0;
  virtual void OnDurable(uint64_t mark, uint64_t settled) = 0;
  virtual void OnRefused(const FrameRefusal& refusal) = 0;
  virtual void OnNotice(bool superseded, bool paused, bool admitted) = 0;
  // A newer hello of the same instance and signal took over, or the store is closing: no further
  // call follows.
  virtual void OnClosed(const absl::Status& why) = 0;
};

using StreamId = uint64_t;

struct FrameArrival {
  uint64_t sequence = 0;
  uint64_t items = 0;
  uint64_t waited_ms = 0;
  FrameBytes bytes;  // header and checksum were checked by intake
  // Of logs.
  uint32_t round = 0;
  std::vector<LogFilePart> files;
};

struct GapArrival {
  uint64_t first_sequence = 0;
  std::vector<uint64_t> counts;
  std::string reason;  // ledger reason of `expired`: ring_full, oversize, malformed
  std::shared_ptr<const void> owner = nullptr;  // kept until it is committed
};

}  // namespace ampari
