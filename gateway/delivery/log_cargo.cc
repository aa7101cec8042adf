#include "gateway/delivery/log_cargo.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/delivery/range_frames.h"

namespace ampari {
namespace {

constexpr absl::Duration kForgetRefused = absl::Hours(1);

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
  size_t frames = 0;  // of the lane's buffer, those that are set aside included
  uint64_t items = 0;
  LogFrames decodable;
  std::vector<uint64_t> sequences;  // of those
  std::vector<FrameLines> lines;
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
  refused_.Forget();
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

// Frames of a range are all fresh or all perhaps sent before, and make one batch when they can.
size_t LogCargo::PickFrames(const BuildTime& time, const Lane& lane, bool* attempted) const {
  *attempted = MayBeAttempted(lane, 0, time.started_ms);
  size_t frames = 0;
  uint64_t bytes = 0;
  for (const RecordPtr& record : lane.buffer) {
    bytes += lane.RawBytes(*record);
    if (frames > 0) {
      if (bytes > config_.batch_bytes || lane.frames_ahead + frames == kMaxFramesAhead) break;
      if (MayBeAttempted(lane, frames, time.started_ms) != *attempted) break;
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
      if (frame->over_limit != 0) draft.settlement.rejected["limit"] += frame->over_limit;
      draft.decodable.records.push_back(record);
      draft.decodable.enforced.push_back(*std::move(enforced));
      draft.sequences.push_back(record->sequence);
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

// The first batch is encoded while its lines are at hand; they are decoded again for others.
void LogCargo::Take(Draft draft, bool attempted, Lane& lane) {
  TakeFrames(draft.frames, draft.items, lane);
  const std::vector<LineUnit> batches =
      CutBatches(draft.lines, draft.sequences, config_.batch_bytes);
  auto range = std::make_unique<LogRange>(std::move(draft.decodable), reader_, refused_, batches,
                                          std::move(draft.settlement), draft.items, attempted);
  if (!batches.empty()) range->SetBody(encoder_.Encode(StreamsOf(draft.lines, batches.front())));
  lane.range = std::move(range);
}

absl::Status LogCargo::Build(RecordSource& source, const BuildTime& time, Lane& lane) {
  if (time.now >= forget_refused_at_) {
    forget_refused_at_ = time.now + kForgetRefused;
    refused_.Forget();
  }
  bool attempted = false;
  const size_t wanted = PickFrames(time, lane, &attempted);
  Draft draft;
  if (absl::Status decoded = Decode(source, lane, wanted, draft); !decoded.ok()) return decoded;
  if (!source.Claim(lane.number, draft.settlement.from, draft.settlement.upto))
    return absl::AbortedError("frames expired");
  for (const FrameLines& frame : draft.lines) Note(frame);
  Take(std::move(draft), attempted, lane);
  return absl::OkStatus();
}

HttpRequest LogCargo::Request(const Lane& lane, Attempt& attempt) {
  const LineUnit& unit = static_cast<LineAttempt&>(attempt).unit;
  if (attempt.body == nullptr) {
    const std::vector<FrameLines> lines = static_cast<const LogRange&>(*lane.range).Load();
    attempt.body = std::make_shared<const std::string>(encoder_.Encode(StreamsOf(lines, unit)));
  }
  std::string frames;
  if (config_.send_frame_header) {
    frames = absl::StrCat(tenant_, "/logs;lane=", lane.number, ";frames=", unit.first_frame, "-",
                          unit.last_frame);
  }
  return message_.Make(attempt.body, attempt.sends - 1, std::move(frames));
}

Outcome LogCargo::Judge(const HttpResponse& response, absl::Time now) const {
  return ClassifyPushAnswer(response, now);
}

}  // namespace ampari
