// Store: everything durable of a gateway in one RocksDB, written by one committer thread.
//
// Other stages meet it through plain values: intake submits arrivals and hears through a StreamSink
// what became of them; delivery reads records, claims them, and hands back settlements. Every
// counter of the ledger is written in the batch that stores, settles or expires a frame. FORMAT.md
// has the bytes; ../../ARCHITECTURE.md the life of a sample.
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
#include "gateway/store/arrival.h"
#include "gateway/store/record.h"
#include "gateway/store/settlement.h"
#include "gateway/store/store_status.h"

namespace ampari {

struct StoreOptions {
  std::string directory;
  uint64_t max_bytes = uint64_t{50} << 30;
  absl::Duration max_age = absl::Hours(72);
  uint64_t live_cache_bytes = uint64_t{64}
                              << 20;  // recent records kept in memory, all queues together
  uint64_t dead_letter_bytes = uint64_t{64} << 20;  // per tenant
  uint32_t max_instances_per_producer = 64;
  uint32_t max_producers_per_entry = 10000;
};

// Which queues and destinations exist.
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

// Thread-safe. Owns the database, the committer thread and a housekeeping thread. `clock` must
// outlive it.
class Store {
 public:
  // FailedPrecondition: another process holds the directory. DataLoss: damage that needs `queue
  // repair`, with the words that say so. Everything else that can be mended is mended and named in
  // status().alarms.
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options, const Clock& clock);
  ~Store();  // closes streams, commits what was submitted, stops the threads

  // Creates what is new, holds what is missing, resumes what came back; replaces the labels in
  // force for the instances of the entries named in `enforced`. Returns when it is durable; one
  // batch, so an error leaves all as it was, unless the batch is found in the log after all when
  // the store reopens itself: then Apply what was in force again.
  absl::Status Apply(std::vector<QueueTopology> topology,
                     std::map<std::string, Labels> enforced = {});
  // max_bytes and max_age, by reload.
  void SetLimits(uint64_t max_bytes, absl::Duration max_age);

  // --- intake; the answer comes through the sink, in order. Submitting to a closed stream is
  // ignored.
  StreamId OpenStream(HelloRequest hello, std::shared_ptr<StreamSink> sink);
  // `owner` is kept until what it came with is committed.
  using Owner = std::shared_ptr<const void>;
  void SubmitRegistration(StreamId stream, std::string block, Owner owner = nullptr);
  void SubmitRetire(StreamId stream, std::vector<uint64_t> blocks, Owner owner = nullptr);
  // Of logs: files that are gone and acknowledged; positions that a new instance brings along.
  void SubmitRetireFiles(StreamId stream, std::vector<std::string> keys, Owner owner = nullptr);
  void SubmitOffer(StreamId stream, std::vector<StoredPosition> offered, Owner owner = nullptr);
  void SubmitFrame(StreamId stream, FrameArrival frame);
  void SubmitGap(StreamId stream, GapArrival gap);
  void SubmitDrained(StreamId stream);
  void CloseStream(StreamId stream);

  // --- delivery
  std::array<LaneState, kLanes> Lanes(const DestinationId& destination) const;
  // Records of the queue from `from` on (from the live cache or the disk), at most `max_bytes` of
  // frames but at least one when there is one. `*next` is where to read on.
  absl::StatusOr<std::vector<RecordPtr>> Read(const DestinationId& destination, uint64_t from,
                                              size_t max_bytes, uint64_t* next) const;
  // Before frames of a lane are sent: false when the store has expired past `from` (read the lane's
  // cursor again). Claimed frames do not expire until Settle or Unclaim.
  bool Claim(const DestinationId& destination, uint32_t lane, uint64_t from, uint64_t upto);
  void Unclaim(const DestinationId& destination, uint32_t lane);
  // Rides in the next batch, at most 100 ms later; `done` runs on the committer thread once it is
  // durable.
  void Settle(Settlement settlement, std::function<void()> done);
  // Before a merged range is first sent: Lanes() tells its extent and generation after any stop,
  // until the cursor passes `upto`. Rides in the next batch, after that batch's settlements: `from`
  // is the lane's cursor once the settlements handed over before are durable (another one is
  // refused with an alarm, and `done` never runs). Replaces an earlier one.
  void IntendRange(const DestinationId& destination, uint32_t lane, uint64_t from, uint64_t upto,
                   uint64_t generation, std::function<void()> done);
  // `wake` runs on the committer thread after each commit that added records to the queue or moved
  // its cursors.
  void SetWaker(const DestinationId& destination, std::function<void()> wake);
  // Origin stamp of the oldest frame that connected forwarders of the lane have announced and not
  // delivered; nullopt: none.
  std::optional<int64_t> OldestAnnounced(const DestinationId& destination, uint32_t lane) const;
  // True while producers seen in the hour before the last stop have not come back, for at most two
  // minutes after start.
  bool AwaitingProducers() const;

  // --- layouts. The encoded registration block that holds the layout or series, NotFound if there
  // is none.
  absl::StatusOr<std::string> ReadBlockOfLayout(InstanceNumber instance, uint64_t layout) const;
  absl::StatusOr<std::string> ReadBlockOfSeries(InstanceNumber instance, uint64_t series) const;
  // Labels in force for the instance (the entry's, stored with it), and its producer, for people.
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const;

  // --- shown
  StoreStatus status() const;
  // Milliseconds of the persisted clock, which stamps and expiry use.
  int64_t NowMs() const;
  std::vector<DeadLetter> DeadLetters(const std::string& tenant, size_t limit) const;
  // Recounts pending from what is stored and compares with the ledger. `go_on` is asked at each
  // record; false ends the recount, which is then a problem itself.
  std::vector<VerifyProblem> Verify(const std::function<bool()>& go_on = nullptr) const;

 private:
  class Core;
  explicit Store(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
