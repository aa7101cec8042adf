// Store: everything durable of a gateway in one RocksDB, written by one committer thread.
//
// Other stages meet it through plain values: intake submits arrivals and hears through a StreamSink what became of them;
// delivery reads records, claims them, and hands back settlements. Every counter of the ledger is written in the batch
// that stores, settles or expires a frame. FORMAT.md has the bytes; ../../ARCHITECTURE.md the life of a sample.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/labels/labels.h"
#include "common/runtime/clock.h"
#include "gateway/store/record.h"

namespace ampari {

enum class Signal : uint8_t { kMetrics = 1, kLogs = 2 };

struct StoreOptions {
  std::string directory;
  uint64_t max_bytes = uint64_t{50} << 30;
  absl::Duration max_age = absl::Hours(72);
  uint64_t live_cache_bytes = uint64_t{64} << 20;      // recent records kept in memory, all queues together
  uint64_t dead_letter_bytes = uint64_t{64} << 20;     // per tenant
  uint32_t max_instances_per_producer = 64;
  uint32_t max_producers_per_entry = 10000;
};

// ---- topology: which queues and destinations exist ------------------------------------------------------------------

struct DestinationTopology {
  std::string name;
  bool start_oldest = false;
};

struct QueueTopology {
  std::string tenant;
  Signal signal = Signal::kMetrics;
  uint64_t budget_bytes = 0;  // 0: no budget of its own
  std::vector<DestinationTopology> destinations;
};

// ---- intake ---------------------------------------------------------------------------------------------------------

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
  std::string store_id;     // empty: never welcomed
};

// Values as ampari.v1.Welcome.Found.
enum class HelloFound : uint8_t {
  kNew = 1, kKnown = 2, kRolledBack = 3, kForgotten = 4, kOtherStore = 5, kRefused = 6,
};

struct WelcomeReply {
  HelloFound found = HelloFound::kRefused;
  std::string store_id;
  uint64_t epoch = 0, mark = 0, settled = 0;
  bool superseded = false;
  bool admitted = true;  // false: frames are taken once an older instance has drained
  std::string refused;   // words for kRefused
};

struct FrameRefusal {
  enum class Reason : uint8_t { kOversize = 1, kMalformed = 2, kPosition = 3, kSequence = 4 };
  uint64_t sequence = 0;
  Reason reason = Reason::kMalformed;
  std::string message;
};

// The way back to one open stream. Called by the committer thread, after the sync and without a lock of the store; must
// not block and must not call back into the store.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void OnWelcome(const WelcomeReply& welcome) = 0;
  virtual void OnDurable(uint64_t mark, uint64_t settled) = 0;
  virtual void OnRefused(const FrameRefusal& refusal) = 0;
  virtual void OnNotice(bool superseded, bool paused, bool admitted) = 0;
  // A newer hello of the same instance and signal took over, or the store is closing: no further call follows.
  virtual void OnClosed(const absl::Status& why) = 0;
};

using StreamId = uint64_t;

struct FrameArrival {
  uint64_t sequence = 0;
  uint64_t items = 0;
  uint64_t waited_ms = 0;
  FrameBytes bytes;  // header and checksum were checked by intake
};

struct GapArrival {
  uint64_t first_sequence = 0;
  std::vector<uint64_t> counts;
  std::string reason;  // ledger reason of `expired`: ring_full, oversize, malformed
};

// ---- delivery -------------------------------------------------------------------------------------------------------

struct DestinationId {
  std::string tenant;
  Signal signal = Signal::kMetrics;
  std::string name;
  friend auto operator<=>(const DestinationId&, const DestinationId&) = default;
};

struct DeadLetter {
  uint64_t sequence = 0;   // of the queue
  uint64_t samples = 0;
  int http_status = 0;
  std::string series;      // the label set, or the first of them, bounded
  std::string response;    // the region's words, bounded
};

enum class AsideReason : uint8_t { kQuarantined = 1, kTooOld = 2, kParked = 3 };

struct AsideFrame {
  uint64_t sequence = 0;
  AsideReason reason = AsideReason::kQuarantined;
  uint64_t samples = 0;    // that stay pending
  std::string words;       // why, for people
};

// What became of the frames [from, upto) of one lane at one destination. Their items are exactly
// delivered + rejected + dropped + uncertain + set aside (a count that differs is a bug and is refused).
struct Settlement {
  DestinationId destination;
  uint32_t lane = 0;
  uint64_t from = 0;  // the lane's cursor when the frames were claimed
  uint64_t upto = 0;  // the new cursor: queue sequence after the last settled frame of the lane
  uint64_t delivered = 0;
  std::map<std::string, uint64_t> rejected;  // by reason
  std::map<std::string, uint64_t> expired;   // by reason; sample_age_limit
  uint64_t dropped = 0;    // write_relabel_configs
  uint64_t uncertain = 0;
  std::vector<DeadLetter> dead_letters;
  std::vector<AsideFrame> aside;
  // Highest frame sequence settled here per instance.
  std::vector<std::pair<InstanceNumber, uint64_t>> settled;
};

struct LaneState {
  uint64_t cursor = 0;   // durable: every frame of the lane below is settled
};

// ---- what is shown --------------------------------------------------------------------------------------------------

// accepted = delivered + pending + rejected + expired + dropped + lost + uncertain, at every moment.
struct Ledger {
  uint64_t accepted = 0, delivered = 0, dropped = 0, uncertain = 0, lost = 0;
  uint64_t pending = 0;                          // all of it, set aside included
  std::map<std::string, uint64_t> aside;         // part of pending, by reason
  std::map<std::string, uint64_t> rejected, expired;
  uint64_t pending_frames = 0;
  uint64_t pending_bytes = 0;
  int64_t oldest_pending_intake_ms = 0;          // 0: nothing pending
};

struct DestinationStatus {
  DestinationId id;
  bool removed = false;  // held for 24 h
  Ledger ledger;
};

struct InstanceStatus {
  InstanceNumber number = 0;
  std::string tenant, entry, forwarder_name, instance_hex, peer;
  uint64_t epoch = 0, mark = 0, settled = 0;
  bool connected = false, superseded = false, admitted = false;
  int64_t last_contact_ms = 0;
};

struct StoreStatus {
  std::string store_id_hex;
  bool paused = false;  // the reserve is reached
  uint64_t disk_bytes = 0, max_bytes = 0;
  uint64_t commits_total = 0, committed_frames_total = 0, committed_bytes_total = 0, duplicate_frames_total = 0;
  uint64_t rollbacks_total = 0;      // hellos that found acknowledged data missing
  uint64_t reopened_total = 0;
  double fsync_seconds_sum = 0;
  std::vector<std::string> alarms;   // what a human must know: holes found at start, rollbacks, clones
  std::vector<DestinationStatus> destinations;
  std::vector<InstanceStatus> instances;
};

struct VerifyProblem {
  std::string what;  // one sentence with queue, range and counts
};

// ---- the store ------------------------------------------------------------------------------------------------------

// Thread-safe. Owns the database, the committer thread and a housekeeping thread. `clock` must outlive it.
class Store {
 public:
  // FailedPrecondition: another process holds the directory. DataLoss: damage that needs `queue repair`, with the words
  // that say so. Everything else that can be mended is mended and named in status().alarms.
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options, const Clock& clock);
  ~Store();  // closes streams, commits what was submitted, stops the threads

  // Creates what is new, holds what is missing, resumes what came back. Returns when it is durable.
  absl::Status Apply(std::vector<QueueTopology> topology);
  // max_bytes and max_age, by reload.
  void SetLimits(uint64_t max_bytes, absl::Duration max_age);

  // --- intake; the answer comes through the sink, in order. Submitting to a closed stream is ignored.
  StreamId OpenStream(HelloRequest hello, std::shared_ptr<StreamSink> sink);
  void SubmitRegistration(StreamId stream, std::string block);
  void SubmitRetire(StreamId stream, std::vector<uint64_t> blocks);
  void SubmitFrame(StreamId stream, FrameArrival frame);
  void SubmitGap(StreamId stream, GapArrival gap);
  void SubmitDrained(StreamId stream);
  void CloseStream(StreamId stream);

  // --- delivery
  std::array<LaneState, kLanes> Lanes(const DestinationId& destination) const;
  // Records of the queue from `from` on (from the live cache or the disk), at most `max_bytes` of frames but at least one
  // when there is one. `*next` is where to read on.
  absl::StatusOr<std::vector<RecordPtr>> Read(const DestinationId& destination, uint64_t from, size_t max_bytes,
                                              uint64_t* next) const;
  // Before frames of a lane are sent: false when the store has expired past `from` (read the lane's cursor again).
  // Claimed frames do not expire until Settle or Unclaim.
  bool Claim(const DestinationId& destination, uint32_t lane, uint64_t from, uint64_t upto);
  void Unclaim(const DestinationId& destination, uint32_t lane);
  // Rides in the next batch, at most 100 ms later; `done` runs on the committer thread once it is durable.
  void Settle(Settlement settlement, std::function<void()> done);
  // `wake` runs on the committer thread after each commit that added records to the queue or moved its cursors.
  void SetWaker(const DestinationId& destination, std::function<void()> wake);
  // Origin stamp of the oldest frame that connected forwarders of the lane have announced and not delivered; nullopt: none.
  std::optional<int64_t> OldestAnnounced(const DestinationId& destination, uint32_t lane) const;
  // True while producers seen in the hour before the last stop have not come back, for at most two minutes after start.
  bool AwaitingProducers() const;

  // --- layouts. The encoded registration block that holds the layout or series, NotFound if there is none.
  absl::StatusOr<std::string> ReadBlockOfLayout(InstanceNumber instance, uint64_t layout) const;
  absl::StatusOr<std::string> ReadBlockOfSeries(InstanceNumber instance, uint64_t series) const;
  // Labels in force for the instance (the entry's, stored with it), and its producer, for people.
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const;
  // Labels of an entry changed by reload: replaces them for the entry's instances.
  absl::Status ReplaceEnforcedLabels(const std::string& entry, const Labels& labels);

  // --- shown
  StoreStatus status() const;
  // Milliseconds of the persisted clock, which stamps and expiry use.
  int64_t NowMs() const;
  std::vector<DeadLetter> DeadLetters(const std::string& tenant, size_t limit) const;
  // Recounts pending from what is stored and compares with the ledger.
  std::vector<VerifyProblem> Verify() const;

 private:
  class Core;
  explicit Store(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
