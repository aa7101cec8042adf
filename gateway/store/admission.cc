#include "gateway/store/admission.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store/eviction.h"
#include "gateway/store/keys.h"
#include "gateway/store/log_admission.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

struct Place {
  StreamRecord* stream = nullptr;
  Instance* instance = nullptr;
  QueueRecord* queue = nullptr;
};

// Null members when the stream is closed or takes no frames.
Place FindPlace(Commit& commit, StreamId id) {
  Place place;
  auto stream = commit.state.streams.find(id);
  if (stream == commit.state.streams.end()) return place;
  Instance* instance = commit.state.producers.Find(stream->second.instance);
  auto queue = commit.state.queues.find(stream->second.queue);
  if (instance == nullptr || queue == commit.state.queues.end()) return place;
  return {&stream->second, instance, &queue->second};
}

void Refuse(Commit& commit, Place& place, uint64_t sequence, std::string words) {
  if (place.stream->refusing) return;
  place.stream->refusing = true;
  FrameRefusal refusal;
  refusal.sequence = sequence;
  refusal.reason = FrameRefusal::Reason::kSequence;
  refusal.message = std::move(words);
  refusal.round = place.stream->round;
  commit.replies.push_back([sink = place.stream->sink, refusal] { sink->OnRefused(refusal); });
}

void Notify(Commit& commit, const StreamRecord& stream, const Instance& instance) {
  commit.replies.push_back(
      [sink = stream.sink, superseded = instance.superseded, paused = commit.state.paused,
       admitted = instance.admitted] { sink->OnNotice(superseded, paused, admitted); });
}

HelloVerdict Ask(Commit& commit, const HelloRequest& hello) {
  StoreState& state = commit.state;
  if (state.FindQueue(hello.tenant, hello.signal) == nullptr) {
    HelloVerdict verdict;
    verdict.reply.refused =
        absl::StrCat("tenant ", hello.tenant, " has no destination for this signal");
    return verdict;
  }
  HelloVerdict verdict =
      state.producers.Hello(hello, state.store_id, commit.now, state.next_instance);
  if (verdict.evict != 0 && EvictInstance(commit, verdict.evict)) {
    verdict = state.producers.Hello(hello, state.store_id, commit.now, state.next_instance);
  }
  return verdict;
}

// The record's head, and the running sums that it carries, moved on.
RecordHeader NextHeader(Commit& commit, Place& place, const FrameArrival& frame, uint64_t bytes) {
  QueueRecord& queue = *place.queue;
  LaneEnd& lane = queue.lanes[place.instance->lane];
  queue.cumulative_items += frame.items;
  queue.cumulative_bytes += bytes;
  lane.total += {frame.items, 1, bytes};
  lane.last_sequence = queue.next;
  RecordHeader header;
  header.instance = place.instance->number;
  header.lane = place.instance->lane;
  header.frame_sequence = frame.sequence;
  header.items = frame.items;
  header.cumulative_items = queue.cumulative_items;
  header.cumulative_bytes = queue.cumulative_bytes;
  header.lane_items = lane.total.items;
  header.lane_frames = lane.total.frames;
  header.lane_bytes = lane.total.bytes;
  header.intake_ms = commit.now.persisted_ms;
  int64_t waited = static_cast<int64_t>(
      std::min<uint64_t>(frame.waited_ms, static_cast<uint64_t>(commit.now.persisted_ms)));
  header.origin_ms = std::max(place.instance->origin_ms, commit.now.persisted_ms - waited);
  return header;
}

void CountStored(Commit& commit, Place& place, const FrameArrival& frame, uint64_t bytes) {
  QueueRecord& queue = *place.queue;
  uint32_t lane = place.instance->lane;
  for (auto& destination : queue.destinations) {
    AddAccepted(destination->ledger, {frame.items, 1, bytes});
    LaneCursor& cursor = destination->lanes[lane];
    if (cursor.first_pending == kNothingPending) cursor.first_pending = queue.next;
    commit.state.dirty.ledgers.insert(destination->generation);
    commit.wake.insert(destination->generation);
  }
  commit.state.dirty.queues.insert(queue.generation);
  commit.state.dirty.lanes.insert({queue.generation, lane});
  commit.state.dirty.marks.insert(place.instance->number);
  ++commit.state.frames;
  commit.state.bytes += bytes;
}

void StoreFrame(Commit& commit, Place& place, const FrameArrival& frame) {
  QueueRecord& queue = *place.queue;
  size_t size = frame.bytes.size();
  uint64_t bytes = size + kRecordHeaderBytes;
  RecordHeader header = NextHeader(commit, place, frame, bytes);
  CountStored(commit, place, frame, bytes);
  commit.batch.PutPieces(commit.database.queue(queue.generation), SequenceKey(queue.next),
                         EncodeRecordHeader(header, queue.next, static_cast<uint32_t>(size)),
                         frame.bytes.pieces);
  auto record = std::make_shared<Record>();
  record->sequence = queue.next;
  record->header = header;
  record->frame.reserve(size);
  for (std::string_view piece : frame.bytes.pieces) record->frame.append(piece);
  commit.stored.emplace_back(queue.generation, std::move(record));
  place.instance->mark = frame.sequence;
  place.instance->origin_ms = header.origin_ms;
  place.instance->last_contact_ms = commit.now.persisted_ms;
  place.instance->last_queue_sequence = queue.next;
  if (frame.sequence < place.stream->announced_last) {
    place.stream->announced_origin_ms = header.origin_ms;
  }
  ++queue.next;
}

// What the forwarder has waiting above the mark. The ring's first frame may lie below the mark: the
// waiting time of mark + 1 lies between those of first and last.
void Announce(const Commit& commit, const HelloRequest& hello, const Instance& instance,
              StreamRecord& stream) {
  if (hello.last_sequence <= instance.mark) return;
  stream.announced_last = hello.last_sequence;
  uint64_t waited = hello.first_waited_ms;
  if (hello.first_sequence <= instance.mark && hello.last_sequence > hello.first_sequence &&
      hello.first_waited_ms > hello.last_waited_ms) {
    double share = static_cast<double>(instance.mark + 1 - hello.first_sequence) /
                   static_cast<double>(hello.last_sequence - hello.first_sequence);
    waited -= static_cast<uint64_t>(
        share * static_cast<double>(hello.first_waited_ms - hello.last_waited_ms));
  }
  waited = std::min(waited, static_cast<uint64_t>(commit.now.persisted_ms));
  stream.announced_origin_ms = commit.now.persisted_ms - static_cast<int64_t>(waited);
}

}  // namespace

void AdmitHello(Commit& commit, StreamId id, const HelloRequest& hello,
                std::shared_ptr<StreamSink> sink) {
  StoreState& state = commit.state;
  HelloVerdict verdict = Ask(commit, hello);
  verdict.reply.store_id = state.store_id;
  for (const std::string& alarm : verdict.alarms) state.Alarm(alarm);
  if (verdict.reply.found == HelloFound::kRolledBack) ++state.rollbacks;
  if (verdict.instance != nullptr) {
    Instance& instance = *verdict.instance;
    StreamId older = 0;
    if (state.StreamOf(instance.number, &older) != nullptr) {
      auto old = state.streams.extract(older);
      commit.replies.push_back([old_sink = old.mapped().sink] {
        old_sink->OnClosed(absl::AbortedError("a newer stream of this instance took over"));
      });
    }
    if (verdict.created) {
      ++state.next_instance;
      state.dirty.numbers = true;
    }
    WriteInstance(instance, commit.database.meta(), commit.batch);
    state.dirty.marks.insert(instance.number);
    state.stream_ids[instance.number] = id;
    StreamRecord& stream = state.streams[id];
    stream.sink = sink;
    stream.instance = instance.number;
    stream.queue = state.FindQueue(hello.tenant, hello.signal)->generation;
    Announce(commit, hello, instance, stream);
    if (hello.signal == Signal::kLogs) WelcomeLogs(commit, hello, stream, &verdict.reply);
    instance.settled = std::min(instance.mark, SettledEverywhere(state, instance));
    verdict.reply.settled = instance.settled;
    state.awaited.erase({hello.entry, hello.forwarder_name});
  }
  commit.replies.push_back([sink, reply = verdict.reply] { sink->OnWelcome(reply); });
  if (verdict.instance == nullptr) return;
  if (state.paused || !verdict.instance->admitted)
    Notify(commit, state.streams[id], *verdict.instance);
  JudgeStandings(commit);
}

void AdmitRegistration(Commit& commit, StreamId id, const std::string& block) {
  Place place = FindPlace(commit, id);
  if (place.stream == nullptr) return;
  absl::StatusOr<RegistrationHeader> header = ParseRegistrationHeader(block);
  if (!header.ok()) {
    CloseWith(commit, id, absl::InvalidArgumentError(header.status().message()));
    return;
  }
  if (!commit.state.registrations.Add(place.instance->number, *header)) return;
  commit.batch.Put(commit.database.series(), BlockKey(place.instance->number, header->number),
                   block);
}

void AdmitRetire(Commit& commit, StreamId id, const std::vector<uint64_t>& blocks) {
  Place place = FindPlace(commit, id);
  if (place.stream == nullptr) return;
  for (uint64_t block : blocks) {
    if (!commit.state.registrations.Retire(place.instance->number, block, place.queue->next)) {
      continue;
    }
    WriteRetired(place.instance->number, block, place.queue->next, commit.database.meta(),
                 commit.batch);
  }
}

void AdmitRetireFiles(Commit& commit, StreamId id, const std::vector<std::string>& keys) {
  Place place = FindPlace(commit, id);
  if (place.stream != nullptr) RetireFiles(commit, *place.stream, keys);
}

void AdmitOffer(Commit& commit, StreamId id, const std::vector<StoredPosition>& offered) {
  Place place = FindPlace(commit, id);
  if (place.stream != nullptr) AdoptFiles(commit, *place.stream, offered);
}

void AdmitFrame(Commit& commit, StreamId id, const FrameArrival& frame) {
  Place place = FindPlace(commit, id);
  if (place.stream == nullptr || IsOutdated(*place.stream, frame)) return;
  uint64_t mark = place.instance->mark;
  if (frame.sequence <= mark) {
    ++commit.state.duplicates;
    commit.acknowledge.insert(id);
    return;
  }
  if (frame.sequence != mark + 1) {
    Refuse(commit, place, frame.sequence,
           absl::StrCat("frame ", frame.sequence, " follows ", mark));
    return;
  }
  place.stream->refusing = false;
  if (commit.state.paused || !place.instance->admitted) {
    Refuse(
        commit, place, frame.sequence,
        commit.state.paused ? "the disk's reserve is reached" : "an older instance drains first");
    return;
  }
  if (std::optional<FrameRefusal> refusal = MoveFiles(commit, *place.stream, frame)) {
    commit.replies.push_back([sink = place.stream->sink, refusal] { sink->OnRefused(*refusal); });
    return;
  }
  StoreFrame(commit, place, frame);
  commit.acknowledge.insert(id);
}

void AdmitGap(Commit& commit, StreamId id, const GapArrival& gap) {
  Place place = FindPlace(commit, id);
  if (place.stream == nullptr) return;
  uint64_t mark = place.instance->mark;
  if (gap.first_sequence > mark + 1) {
    Refuse(commit, place, gap.first_sequence,
           absl::StrCat("gap at ", gap.first_sequence, " follows ", mark));
    return;
  }
  uint64_t items = 0;
  for (size_t i = 0; i < gap.counts.size(); ++i) {
    if (gap.first_sequence + i > mark) items += gap.counts[i];
  }
  uint64_t last = gap.first_sequence + gap.counts.size() - 1;
  commit.acknowledge.insert(id);
  if (gap.counts.empty() || last <= mark) return;
  place.stream->refusing = false;
  place.instance->mark = last;
  place.instance->last_contact_ms = commit.now.persisted_ms;
  commit.state.dirty.marks.insert(place.instance->number);
  for (auto& destination : place.queue->destinations) {
    AddGap(destination->ledger, items, gap.reason);
    commit.state.dirty.ledgers.insert(destination->generation);
  }
}

void AdmitDrained(Commit& commit, StreamId id) {
  Place place = FindPlace(commit, id);
  if (place.stream == nullptr) return;
  commit.state.producers.Drained(place.instance->number);
  WriteInstance(*place.instance, commit.database.meta(), commit.batch);
  JudgeStandings(commit);
}

void AdmitClose(Commit& commit, StreamId id) {
  auto stream = commit.state.streams.find(id);
  if (stream == commit.state.streams.end()) return;
  commit.state.producers.Disconnected(stream->second.instance, commit.now);
  commit.state.dirty.marks.insert(stream->second.instance);
  commit.state.stream_ids.erase(stream->second.instance);
  commit.state.streams.erase(stream);
  JudgeStandings(commit);
}

void CloseWith(Commit& commit, StreamId id, const absl::Status& why) {
  auto stream = commit.state.streams.find(id);
  if (stream == commit.state.streams.end()) return;
  commit.replies.push_back([sink = stream->second.sink, why] { sink->OnClosed(why); });
  AdmitClose(commit, id);
}

void JudgeStandings(Commit& commit) {
  for (const StandingChange& change : commit.state.producers.Judge(commit.now)) {
    StreamRecord* stream = commit.state.StreamOf(change.number);
    const Instance* instance = commit.state.producers.Find(change.number);
    if (stream != nullptr && instance != nullptr) {
      stream->refusing = false;
      Notify(commit, *stream, *instance);
    }
  }
  for (std::string& alarm : commit.state.producers.Clones(commit.now)) {
    commit.state.Alarm(std::move(alarm));
  }
}

void TellPaused(Commit& commit) {
  for (auto& [id, stream] : commit.state.streams) {
    const Instance* instance = commit.state.producers.Find(stream.instance);
    if (instance == nullptr) continue;
    stream.refusing = false;
    Notify(commit, stream, *instance);
  }
}

void AcknowledgeInstance(Commit& commit, InstanceNumber instance) {
  StreamId id = 0;
  if (commit.state.StreamOf(instance, &id) != nullptr) commit.acknowledge.insert(id);
}

}  // namespace ampari
