#include "gateway/store/committer.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"
#include "gateway/store/admission.h"
#include "gateway/store/disk_reserve.h"
#include "gateway/store/meta.h"
#include "gateway/store/recovery.h"
#include "gateway/store/trims.h"

namespace ampari {
namespace {

constexpr absl::Duration kReopenPause = absl::Seconds(1);

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void Admit(Commit& commit, Arrival& arrival) {
  StreamId id = arrival.stream;
  std::visit(Overloaded{
                 [&](HelloArrival& a) { AdmitHello(commit, id, a.hello, std::move(a.sink)); },
                 [&](RegistrationArrival& a) { AdmitRegistration(commit, id, a.block); },
                 [&](RetireArrival& a) { AdmitRetire(commit, id, a.blocks); },
                 [&](RetireFilesArrival& a) { AdmitRetireFiles(commit, id, a.keys); },
                 [&](OfferArrival& a) { AdmitOffer(commit, id, a.offered); },
                 [&](FrameArrival& a) { AdmitFrame(commit, id, a); },
                 [&](GapArrival& a) { AdmitGap(commit, id, a); },
                 [&](DrainedArrival&) { AdmitDrained(commit, id); },
                 [&](CloseArrival&) { AdmitClose(commit, id); },
             },
             arrival.what);
}

// The kernel may have dropped what a failed sync was to write: no acknowledgement may follow it.
void ExitAfterFailedSync(const SyncCounters& syncs) {
  if (syncs.failed.load() == 0) return;
  std::fprintf(stderr, "ALARM: store: a sync failed; what the disk holds is unknown, exiting\n");
  std::_Exit(kExitSyncFailed);
}

}  // namespace

// What is told after the sync.
struct Committer::Outcome {
  std::vector<absl::Status> task_results;
  std::vector<std::function<void()>> calls;
};

void Committer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Committer::Join() {
  if (thread_.joinable()) thread_.join();
}

void Committer::Run() {
  Work work;
  while (inbox_.Take(&work)) CommitWork(std::exchange(work, {}));
  CloseAllStreams(absl::UnavailableError("the store is closing"));
  // Last contacts and the clock, as of now.
  work = {};
  work.tasks.push_back({[](Commit& commit) {
                          commit.state.dirty.numbers = true;
                          return absl::OkStatus();
                        },
                        [](const absl::Status&) {}});
  CommitWork(std::move(work));
}

void Committer::CloseAllStreams(const absl::Status& why) {
  Work work;
  work.tasks.push_back({[why](Commit& commit) {
                          std::vector<StreamId> ids;
                          for (auto& [id, stream] : commit.state.streams) ids.push_back(id);
                          for (StreamId id : ids) CloseWith(commit, id, why);
                          return absl::OkStatus();
                        },
                        [](const absl::Status&) {}});
  CommitWork(std::move(work));
}

void Committer::Build(Commit& commit, Work& work, Outcome& outcome) {
  for (Task& task : work.tasks) outcome.task_results.push_back(task.run(commit));
  for (Arrival& arrival : work.arrivals) Admit(commit, arrival);
  for (PendingSettlement& settlement : work.settlements) SettleLane(commit, settlement);
  for (PendingIntent& intent : work.intents) IntendRange(commit, intent);
  for (auto& [generation, queue] : commit.state.queues) {
    TrimQueue(commit, queue, TrimWhen::kWorthwhile);
  }
  WriteDirty(commit.state, commit.database.meta(), commit.batch);
  if (commit.batch.empty()) return;
  WriteClock(commit.now.persisted_ms, absl::ToUnixMillis(vault_.clock.Now()),
             commit.database.meta(), commit.batch);
}

void Committer::Publish(Commit& commit, Outcome& outcome) {
  if (!commit.batch.empty()) ++commit.state.commits;
  for (Generation generation : commit.thinned) {
    vault_.cache.Forget(generation);
    for (auto& destination : commit.state.queues.at(generation).destinations) {
      for (LaneCursor& lane : destination->lanes) {
        if (lane.reread != LaneCursor::Reread::kNo) lane.reread = LaneCursor::Reread::kOnce;
      }
    }
  }
  for (auto& [generation, record] : commit.stored) {
    vault_.cache.Add(generation, std::move(record));
  }
  for (auto& [generation, queue] : commit.state.queues) {
    queue.durable_next = queue.next;
    queue.durable_floor = queue.floor;
  }
  outcome.calls = std::move(commit.replies);
  for (StreamId id : commit.acknowledge) {
    auto stream = commit.state.streams.find(id);
    if (stream == commit.state.streams.end()) continue;
    Instance* instance = commit.state.producers.Find(stream->second.instance);
    if (instance == nullptr) continue;
    instance->settled = std::max(instance->settled, SettledEverywhere(commit.state, *instance));
    outcome.calls.push_back([sink = stream->second.sink, mark = instance->mark,
                             settled = instance->settled] { sink->OnDurable(mark, settled); });
  }
  for (Generation generation : commit.wake) {
    auto [queue, destination] = commit.state.FindDestination(generation);
    if (destination != nullptr && destination->wake) outcome.calls.push_back(destination->wake);
  }
}

void Committer::Tell(Outcome& outcome, Work& work, const absl::Status& status) {
  for (auto& call : outcome.calls) call();
  for (size_t i = 0; i < work.tasks.size(); ++i) {
    work.tasks[i].done(status.ok() ? outcome.task_results[i] : status);
  }
}

void Committer::CommitWork(Work work) {
  Outcome outcome;
  absl::Status written;
  std::shared_ptr<Database> database = vault_.db();
  Check(database != nullptr, "only this thread closes the database");
  {
    std::optional<Commit> commit;
    {
      MutexLock lock(vault_.mu);
      commit.emplace(Commit{.state = *vault_.state,
                            .database = *database,
                            .cache = vault_.cache,
                            .options = vault_.options,
                            .now = vault_.Now()});
      Build(*commit, work, outcome);
    }
    if (!commit->batch.empty()) written = database->WriteSynced(commit->batch);
    ExitAfterFailedSync(vault_.syncs);
    if (written.ok()) {
      MutexLock lock(vault_.mu);
      Publish(*commit, outcome);
    }
  }
  work.arrivals.clear();  // lets go of the frames' bytes before anybody is told
  if (!written.ok()) {
    database.reset();
    Reopen(written, work);
    outcome.calls.clear();
  }
  Tell(outcome, work, written);
}

void Committer::Reopen(const absl::Status& why, Work& work) {
  std::string words = absl::StrCat("a write failed: ", why.ToString());
  std::fprintf(stderr, "ALARM: store: %s\n", words.c_str());
  std::unique_ptr<StoreState> old;
  {
    MutexLock lock(vault_.mu);
    old = std::move(vault_.state);
    vault_.state = std::make_unique<StoreState>(ProducerBounds{});
  }
  for (auto& [id, stream] : old->streams) stream.sink->OnClosed(absl::UnavailableError(words));
  vault_.cache.Clear();
  bool full = absl::IsResourceExhausted(why);
  if (full) ReleaseBallast(vault_.options.directory);
  vault_.CloseDatabase();
  absl::StatusOr<Recovered> recovered = absl::UnavailableError("not tried");
  while (!recovered.ok()) {
    recovered = RecoverStore(vault_.options, vault_.max_bytes, vault_.Now(), *vault_.env);
    if (recovered.ok()) break;
    std::fprintf(stderr, "ALARM: store: reopening: %s\n", recovered.status().ToString().c_str());
    if (inbox_.stopped()) std::_Exit(kExitSyncFailed);  // nothing more can be made durable
    inbox_.WaitForStop(kReopenPause);
  }
  inbox_.PutBack(std::move(work.settlements), std::move(work.intents));
  MutexLock lock(vault_.mu);
  StoreState& state = *recovered->state;
  for (auto& [generation, queue] : old->queues) {
    for (auto& destination : queue.destinations) {
      DestinationRecord* now = state.FindDestination(destination->generation).second;
      if (now == nullptr) continue;
      now->wake = std::move(destination->wake);
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        now->lanes[lane].claim = destination->lanes[lane].claim;
      }
    }
  }
  state.alarms.insert(state.alarms.begin(), old->alarms.begin(), old->alarms.end());
  state.ended = std::move(old->ended);
  state.paused = old->paused || full;
  std::tie(state.commits, state.frames, state.bytes, state.duplicates, state.rollbacks) =
      std::tie(old->commits, old->frames, old->bytes, old->duplicates, old->rollbacks);
  state.reopened = old->reopened + 1;
  state.Alarm(words + "; the store was opened anew");
  vault_.state = std::move(recovered->state);
  vault_.SetDatabase(std::move(recovered->database));
}

}  // namespace ampari
