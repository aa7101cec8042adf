#include "gateway/store/store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store/core.h"
#include "gateway/store/tasks.h"
#include "gateway/store/topology.h"

namespace ampari {

Store::Core::Core(StoreOptions options, const Clock& clock, std::unique_ptr<DirectoryLock> held)
    : lock(std::move(held)),
      vault(std::move(options), clock),
      committer(vault, inbox),
      housekeeping(vault, inbox) {}

Store::Core::~Core() {
  inbox.Stop();
  housekeeping.Join();
  committer.Join();
}

absl::Status Store::Core::Start() {
  Moment now{absl::ToUnixMillis(vault.clock.Now()), vault.clock.Monotonic()};
  absl::StatusOr<Recovered> recovered =
      RecoverStore(vault.options, vault.max_bytes, now, *vault.env);
  if (!recovered.ok()) return recovered.status();
  const StoredClock& stored = recovered->clock;
  vault.persisted = stored.present ? std::make_unique<PersistedClock>(
                                         vault.clock, stored.persisted_ms, stored.wall_ms)
                                   : std::make_unique<PersistedClock>(vault.clock);
  AwaitProducers(*recovered->state, vault.persisted->stopped_ms());
  vault.SetDatabase(std::move(recovered->database));
  {
    MutexLock locked(vault.mu);
    vault.state = std::move(recovered->state);
  }
  committer.Start();
  housekeeping.Start();
  return absl::OkStatus();
}

Store::Store(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Store::~Store() = default;

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options, const Clock& clock) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::Take(options.directory);
  if (!lock.ok()) return lock.status();
  auto core = std::make_unique<Core>(std::move(options), clock, *std::move(lock));
  absl::Status started = core->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<Store>(new Store(std::move(core)));
}

absl::Status Store::Apply(std::vector<QueueTopology> topology,
                          std::map<std::string, Labels> enforced) {
  return RunInBatch(core_->inbox, [&](Commit& commit) {
    absl::Status applied = ApplyTopology(commit, topology);
    if (!applied.ok()) return applied;
    for (const auto& [number, instance] : commit.state.producers.all()) {
      const auto labels = enforced.find(instance->entry);
      if (labels == enforced.end() || instance->enforced_labels == labels->second) continue;
      instance->enforced_labels = labels->second;
      WriteInstance(*instance, commit.database.meta(), commit.batch);
    }
    return applied;
  });
}

void Store::SetLimits(uint64_t max_bytes, absl::Duration max_age) {
  core_->vault.max_bytes = max_bytes;
  core_->vault.max_age_ms = absl::ToInt64Milliseconds(max_age);
}

StreamId Store::OpenStream(HelloRequest hello, std::shared_ptr<StreamSink> sink) {
  StreamId id = core_->next_stream.fetch_add(1);
  core_->inbox.Push(Arrival{id, HelloArrival{std::move(hello), std::move(sink)}, 0});
  return id;
}

void Store::SubmitRegistration(StreamId stream, std::string block, Owner owner) {
  size_t bytes = block.size();
  core_->inbox.Push(
      Arrival{stream, RegistrationArrival{std::move(block), std::move(owner)}, bytes});
}

void Store::SubmitRetire(StreamId stream, std::vector<uint64_t> blocks, Owner owner) {
  core_->inbox.Push(Arrival{stream, RetireArrival{std::move(blocks), std::move(owner)}, 0});
}

void Store::SubmitRetireFiles(StreamId stream, std::vector<std::string> keys, Owner owner) {
  core_->inbox.Push(Arrival{stream, RetireFilesArrival{std::move(keys), std::move(owner)}, 0});
}

void Store::SubmitOffer(StreamId stream, std::vector<StoredPosition> offered, Owner owner) {
  core_->inbox.Push(Arrival{stream, OfferArrival{std::move(offered), std::move(owner)}, 0});
}

void Store::SubmitFrame(StreamId stream, FrameArrival frame) {
  size_t bytes = frame.bytes.size();
  core_->inbox.Push(Arrival{stream, std::move(frame), bytes});
}

void Store::SubmitGap(StreamId stream, GapArrival gap) {
  core_->inbox.Push(Arrival{stream, std::move(gap), 0});
}

void Store::SubmitDrained(StreamId stream) {
  core_->inbox.Push(Arrival{stream, DrainedArrival{}, 0});
}

void Store::CloseStream(StreamId stream) { core_->inbox.Push(Arrival{stream, CloseArrival{}, 0}); }

void Store::Settle(Settlement settlement, std::function<void()> done) {
  core_->inbox.Push(PendingSettlement{std::move(settlement), std::move(done)});
}

void Store::IntendRange(const DestinationId& destination, uint32_t lane, uint64_t from,
                        uint64_t upto, uint64_t generation, std::function<void()> done) {
  core_->inbox.Push(PendingIntent{destination, lane, from, upto, generation, std::move(done)});
}

}  // namespace ampari
