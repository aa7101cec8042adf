#include "gateway/store/log_admission.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

// A producer with a stream is noted as in contact so many times within max_age.
constexpr int64_t kContactsPerAge = 16;

LogProducer* ProducerOf(Commit& commit, const StreamRecord& stream) {
  return commit.state.log_positions.Find(stream.log_producer);
}

void MarkDirty(Commit& commit, const LogProducer& producer, const std::string& key) {
  commit.state.dirty.log_files.insert({producer.number, key});
}

void MarkDirty(Commit& commit, const LogProducer& producer, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) MarkDirty(commit, producer, key);
}

std::string NameOf(const LogProducer& producer, const std::string& key) {
  const auto known = producer.files.find(key);
  if (known != producer.files.end()) return known->second.name;
  const RetiredFile* const retired = producer.retired.Stored(key);
  return retired == nullptr ? std::string() : retired->name;
}

std::string Words(const LogProducer& producer, const std::vector<RefusedFile>& refused) {
  const RefusedFile& file = refused.front();
  if (!file.known) {
    return absl::StrCat(refused.size(),
                        " files do not begin where they are stored; the first is unknown");
  }
  return absl::StrCat(refused.size(), " files do not begin where they are stored; the first, ",
                      Quoted(NameOf(producer, file.key)), ", at ", file.stored.out, " and ",
                      file.stored.err);
}

// Instances of logs that have not drained, by producer.
std::map<std::pair<std::string, std::string>, std::vector<LateSpeaker>> LateSpeakers(
    const Commit& commit) {
  std::map<std::pair<std::string, std::string>, std::vector<LateSpeaker>> speakers;
  for (const auto& [number, instance] : commit.state.producers.all()) {
    if (instance->signal != Signal::kLogs || instance->drained) continue;
    LateSpeaker speaker{number, 0};
    if (instance->connected && !instance->superseded) {
      speaker.connected_ms =
          absl::ToInt64Milliseconds(commit.now.monotonic - instance->waiting_since);
    }
    speakers[{instance->entry, instance->forwarder_name}].push_back(speaker);
  }
  return speakers;
}

}  // namespace

void WelcomeLogs(Commit& commit, const HelloRequest& hello, StreamRecord& stream,
                 WelcomeReply* reply) {
  StoreState& state = commit.state;
  bool created = false;
  LogProducer& producer =
      state.log_positions.Meet(hello.entry, hello.forwarder_name, commit.now.persisted_ms,
                               state.next_log_producer, &created);
  if (created) {
    ++state.next_log_producer;
    state.dirty.numbers = true;
  }
  state.dirty.log_producers.insert(producer.number);
  stream.log_producer = producer.number;
  MarkDirty(commit, producer,
            producer.retired.MeetLatecomer(stream.instance, commit.now.persisted_ms));
  reply->positions =
      std::make_shared<const std::vector<StoredPosition>>(LogPositions::All(producer));
  reply->producer_age_ms =
      static_cast<uint64_t>(commit.now.persisted_ms - producer.first_contact_ms);
}

bool IsOutdated(const StreamRecord& stream, const FrameArrival& frame) {
  return stream.log_producer != 0 && frame.round < stream.round;
}

std::optional<FrameRefusal> MoveFiles(Commit& commit, StreamRecord& stream,
                                      const FrameArrival& frame) {
  LogProducer* producer = ProducerOf(commit, stream);
  if (producer == nullptr) return std::nullopt;
  FrameRefusal refusal;
  refusal.sequence = frame.sequence;
  refusal.reason = FrameRefusal::Reason::kPosition;
  refusal.files = LogPositions::Compare(*producer, stream.instance, frame.files);
  if (!refusal.files.empty()) {
    refusal.message = Words(*producer, refusal.files);
  } else if (!LogPositions::HasRoom(*producer, frame.files)) {
    refusal.message = absl::StrCat("a forwarder has at most ", kMaxPositionsPerProducer, " files");
  } else {
    LogPositions::Move(*producer, frame.files);
    for (const LogFilePart& file : frame.files) MarkDirty(commit, *producer, file.key);
    return std::nullopt;
  }
  refusal.round = ++stream.round;
  return refusal;
}

void RetireFiles(Commit& commit, const StreamRecord& stream, const std::vector<std::string>& keys) {
  LogProducer* producer = ProducerOf(commit, stream);
  if (producer == nullptr) return;
  for (const std::string& key : keys) {
    if (LogPositions::Retire(*producer, key, stream.instance, commit.state.next_instance - 1,
                             commit.now.persisted_ms)) {
      MarkDirty(commit, *producer, key);
    }
  }
  MarkDirty(commit, *producer, LogPositions::BoundRetired(*producer));
}

void AdoptFiles(Commit& commit, const StreamRecord& stream,
                const std::vector<StoredPosition>& offered) {
  LogProducer* producer = ProducerOf(commit, stream);
  if (producer == nullptr) return;
  MarkDirty(commit, *producer, LogPositions::Adopt(*producer, stream.instance, offered));
}

void ForgetRetiredFiles(Commit& commit) {
  if (commit.state.paused) return;  // nobody gets rid of what he has
  LogPositions& positions = commit.state.log_positions;
  const int64_t now_ms = commit.now.persisted_ms;
  if (!positions.SweepIsDue(now_ms)) return;
  const auto speakers = LateSpeakers(commit);
  for (auto& [number, producer] : positions.all()) {
    if (producer.retired.empty()) continue;
    const auto its = speakers.find({producer.entry, producer.forwarder_name});
    const std::vector<LateSpeaker> late =
        its == speakers.end() ? std::vector<LateSpeaker>() : its->second;
    MarkDirty(commit, producer, producer.retired.Sweep([&](const RetiredFile& file) {
      return IsAwaited(file, late, now_ms);
    }));
  }
}

void ForgetOldLogProducers(Commit& commit, int64_t max_age_ms) {
  LogPositions& positions = commit.state.log_positions;
  const int64_t now_ms = commit.now.persisted_ms;
  for (const auto& [id, stream] : commit.state.streams) {
    LogProducer* producer = ProducerOf(commit, stream);
    if (producer == nullptr || now_ms - producer->last_contact_ms < max_age_ms / kContactsPerAge) {
      continue;
    }
    producer->last_contact_ms = now_ms;
    commit.state.dirty.log_producers.insert(producer->number);
  }
  for (ProducerNumber number : positions.ForgottenBefore(now_ms - max_age_ms)) {
    commit.state.dirty.log_producers.erase(number);
    EraseLogProducer(number, commit.database.meta(), commit.batch);
    positions.Remove(number);
  }
}

}  // namespace ampari
