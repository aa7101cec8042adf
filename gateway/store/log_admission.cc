#include "gateway/store/log_admission.h"

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

std::string Words(const LogProducer& producer, const std::vector<RefusedFile>& refused) {
  const RefusedFile& file = refused.front();
  const auto known = producer.files.find(file.key);
  if (!file.known) {
    return absl::StrCat(refused.size(),
                        " files do not begin where they are stored; the first is unknown");
  }
  return absl::StrCat(refused.size(), " files do not begin where they are stored; the first, ",
                      Quoted(known->second.name), ", at ", file.stored.out, " and ",
                      file.stored.err);
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
  refusal.files = LogPositions::Compare(*producer, frame.files);
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
    if (producer->files.erase(key) > 0) MarkDirty(commit, *producer, key);
  }
}

void AdoptFiles(Commit& commit, const StreamRecord& stream,
                const std::vector<StoredPosition>& offered) {
  LogProducer* producer = ProducerOf(commit, stream);
  if (producer == nullptr) return;
  for (const std::string& key : LogPositions::Adopt(*producer, offered)) {
    MarkDirty(commit, *producer, key);
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
