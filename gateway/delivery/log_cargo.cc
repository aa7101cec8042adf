#include "gateway/delivery/log_cargo.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/delivery/range_frames.h"

namespace ampari {
namespace {

constexpr absl::Duration kForgetRefused = absl::Hours(1);
// What a stream shares a push with others by.
constexpr uint64_t kMaxSharedBytes = uint64_t{256} << 10;  // of its lines in one push
constexpr absl::Duration kSharedPast = absl::Minutes(10);  // of its lines, by the clock
constexpr absl::Duration kSharedFuture = absl::Minutes(5);
constexpr absl::Duration kLiveFor = absl::Seconds(10);  // of a frame, beyond batch_wait
constexpr uint64_t kCatchUpBatches = 4;  // that a range is made of while it is behind

PostMessage MessageOf(const std::string& tenant, const LokiWriteConfig& config) {
  return PostMessage(
      tenant, {config.url,
               config.http,
               config.remote_timeout,
               {{"Content-Encoding", "snappy"}, {"Content-Type", "application/x-protobuf"}}});
}

}  // namespace

// A range before anything of it was taken from the lane.
struct LogCargo::Draft {
  bool attempted = false, catching_up = false;
  size_t frames = 0;  // of the lane's buffer, those that are set aside included
  uint64_t items = 0;
  LogFrames decodable;
  std::vector<FrameLines> lines;  // of those
  size_t streams = 0;             // of those
  Settlement settlement;
};

LogCargo::LogCargo(std::string tenant)
    : tenant_(std::move(tenant)),
      renderer_(std::make_shared<StreamRenderer>(StreamRules())),
      message_(MessageOf(tenant_, config_)) {}

absl::StatusOr<bool> LogCargo::Configure(const DeliverySettings& settings) {
  const auto& config = std::get<LokiWriteConfig>(settings.config);
  const StreamRules& former = renderer_->rules();
  const bool changed = former.external_labels != settings.external_labels ||
                       former.limits != config.limits || config_.batch_bytes != config.batch_bytes;
  config_ = config;
  size_.SetMost(config_.batch_bytes);
  streams_.ForgetRefused();
  if (changed) {
    renderer_ =
        std::make_shared<StreamRenderer>(StreamRules{settings.external_labels, config_.limits});
  }
  message_ = MessageOf(tenant_, config_);
  return changed;
}

LoopRules LogCargo::rules() const {
  LoopRules rules;
  rules.url = config_.url;
  rules.http = config_.http;
  rules.pacing.backoff = {config_.min_backoff, config_.max_backoff, kBackoffJitter};
  rules.pacing.max_in_flight = std::max<uint32_t>(1, config_.max_in_flight);
  rules.in_flight_limit = "max_in_flight";
  rules.batch_bytes = config_.batch_bytes;
  rules.batch_wait = config_.batch_wait;
  return rules;
}

bool LogCargo::CatchingUp(const RecordSource& source, const Lane& lane) const {
  const int64_t age_ms = source.NowMs() - lane.buffer.front()->header.intake_ms;
  return lane.Full() || age_ms > absl::ToInt64Milliseconds(config_.batch_wait + kLiveFor);
}

// Frames of a range are all fresh or all perhaps sent before, and make one batch when they can.
size_t LogCargo::PickFrames(const BuildTime& time, const Lane& lane, Draft& draft) const {
  draft.attempted = MayBeAttempted(lane, 0, time.started_ms);
  const uint64_t most = config_.batch_bytes * (draft.catching_up ? kCatchUpBatches : 1);
  size_t frames = 0;
  uint64_t bytes = 0;
  for (const RecordPtr& record : lane.buffer) {
    bytes += lane.RawBytes(*record);
    if (frames > 0) {
      if (bytes > most || lane.frames_ahead + frames == kMaxFramesAhead) break;
      if (MayBeAttempted(lane, frames, time.started_ms) != draft.attempted) break;
    }
    ++frames;
  }
  return frames;
}

void LogCargo::Note(const FrameLines& frame) {
  notes_.cut += frame.cut;
  for (const auto& [words, lines] : frame.refusals) {
    if (notes_.over_limit.size() < kMaxLineRefusals || notes_.over_limit.contains(words))
      notes_.over_limit[words] += lines;
  }
}

absl::Status LogCargo::Decode(const RecordSource& source, const Lane& lane, size_t wanted,
                              Draft& draft) {
  draft.decodable.renderer = renderer_;
  for (; draft.frames < wanted; ++draft.frames) {
    const RecordPtr& record = lane.buffer[draft.frames];
    absl::StatusOr<Labels> enforced = source.EnforcedLabels(record->header.instance);
    absl::StatusOr<FrameLines> frame =
        enforced.ok() ? reader_.Read(*record, *enforced, *renderer_) : enforced.status();
    if (frame.ok()) {
      if (draft.frames > 0 && draft.streams + frame->streams.size() > kMaxStreamsAtOnce) break;
      draft.streams += frame->streams.size();
      if (frame->over_limit != 0) draft.settlement.rejected["limit"] += frame->over_limit;
      draft.decodable.records.push_back(record);
      draft.decodable.enforced.push_back(*std::move(enforced));
      draft.decodable.sequences.push_back(record->sequence);
      draft.lines.push_back(*std::move(frame));
    } else if (IsUndecodable(frame.status())) {
      draft.settlement.aside.push_back(Quarantined(*record, frame.status()));
    } else if (draft.frames == 0) {
      return absl::UnavailableError(frame.status().message());
    } else {
      break;
    }
    draft.items += record->header.items;
    NoteSettled(*record, draft.settlement);
  }
  draft.settlement.lane = lane.number;
  draft.settlement.from = lane.cursor;
  draft.settlement.upto = lane.buffer[draft.frames - 1]->sequence + 1;
  return absl::OkStatus();
}

bool LogCargo::MayShare(const LineGroup& group, const BuildTime& time) {
  const bool known = streams_.IsKnown(group.selector(), time.now);
  const bool parked = time.parked != nullptr && time.parked->Contains(group.push.selector);
  return known && !parked && group.bytes <= kMaxSharedBytes &&
         group.first_ns >= absl::ToUnixNanos(time.wall - kSharedPast) &&
         group.last_ns <= absl::ToUnixNanos(time.wall + kSharedFuture);
}

void LogCargo::ChooseAlone(const BuildTime& time, Draft& draft) {
  const bool all = draft.catching_up || config_.max_streams == 1;
  for (const LineGroup& group : GroupLines(draft.lines, draft.decodable.sequences)) {
    if (!MayShare(group, time) || all) draft.decodable.alone.insert(group.selector());
  }
}

// Encoded while the lines are at hand; what is taken apart later is decoded again.
LogRange::Queue LogCargo::QueueOf(const Draft& draft, std::span<const LineGroup> all,
                                  const LogRun& run) {
  LogRange::Queue queue;
  for (const LineUnit& unit :
       CutUnits(all.subspan(run.group, run.groups), run.from, size_.bytes(), config_.max_streams)) {
    LineAttempt& attempt = *queue.emplace_back(std::make_unique<LineAttempt>());
    attempt.unit = unit;
    attempt.items = unit.lines();
    attempt.ambiguous = draft.attempted;
    if (run.groups == 1) attempt.stream = all[run.group].selector();
    attempt.body = std::make_shared<const std::string>(encoder_.Encode(StreamsOf(all, unit)));
  }
  return queue;
}

std::vector<LogRange::Queue> LogCargo::QueuesOf(const Draft& draft) {
  const LineGroups groups =
      GroupLines(draft.lines, draft.decodable.sequences, draft.decodable.alone);
  std::vector<LogRange::Queue> queues;
  const size_t shared = groups.size() - draft.decodable.alone.size();
  LogRun run{0, shared, 0};
  if (shared > 0) queues.push_back(QueueOf(draft, groups, run));
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i >= shared) queues.push_back(QueueOf(draft, groups, {i, 1, run.from}));
    run.from += groups[i].lines;
  }
  return queues;
}

absl::Status LogCargo::Build(RecordSource& source, const BuildTime& time, Lane& lane) {
  if (time.now >= forget_refused_at_) {
    forget_refused_at_ = time.now + kForgetRefused;
    streams_.ForgetRefused();
  }
  Draft draft;
  draft.catching_up = CatchingUp(source, lane);
  const size_t wanted = PickFrames(time, lane, draft);
  if (absl::Status decoded = Decode(source, lane, wanted, draft); !decoded.ok()) return decoded;
  if (!source.Claim(lane.number, draft.settlement.from, draft.settlement.upto))
    return absl::AbortedError("frames expired");
  for (const FrameLines& frame : draft.lines) Note(frame);
  TakeFrames(draft.frames, draft.items, lane);
  ChooseAlone(time, draft);
  std::vector<LogRange::Queue> queues = QueuesOf(draft);
  lane.range =
      std::make_unique<LogRange>(std::move(draft.decodable), LogParts{reader_, streams_, size_},
                                 std::move(queues), std::move(draft.settlement), draft.items);
  return absl::OkStatus();
}

HttpRequest LogCargo::Request(const Lane& lane, Attempt& attempt) {
  const auto& range = static_cast<const LogRange&>(*lane.range);
  if (attempt.body == nullptr) {
    const LogRange::Loaded loaded = range.Load();
    const LineUnit& unit = static_cast<LineAttempt&>(attempt).unit;
    attempt.body =
        std::make_shared<const std::string>(encoder_.Encode(StreamsOf(loaded.groups, unit)));
  }
  std::string frames;
  if (config_.send_frame_header) {
    const std::vector<uint64_t>& sequences = range.frames().sequences;
    frames = absl::StrCat(tenant_, "/logs;lane=", lane.number, ";frames=", sequences.front(), "-",
                          sequences.back());
  }
  return message_.Make(attempt.body, attempt.sends - 1, std::move(frames));
}

Outcome LogCargo::Judge(const HttpResponse& response, absl::Time now) const {
  return ClassifyPushAnswer(response, now);
}

}  // namespace ampari
