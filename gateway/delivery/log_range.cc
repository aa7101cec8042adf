#include "gateway/delivery/log_range.h"

#include <utility>

#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr int kTooLarge = 413, kTooMany = 429;

// A line that was stored by an earlier push may be refused so the second time, when the stream has
// moved on meanwhile.
bool RefusesForOrder(const std::string& words) {
  return words.find("too far behind") != std::string::npos ||
         words.find("out of order") != std::string::npos;
}

}  // namespace

LogRange::LogRange(LogFrames frames, LogParts parts, std::vector<Queue> queues,
                   Settlement settlement, uint64_t items)
    : frames_(std::move(frames)),
      parts_(parts),
      settlement_(std::move(settlement)),
      items_(items),
      waiting_(std::move(queues)),
      in_flight_(waiting_.size()) {
  for (size_t i = 0; i < waiting_.size(); ++i) {
    waiting_count_ += waiting_[i].size();
    for (const LineAttemptPtr& attempt : waiting_[i]) attempt->queue = i;
  }
}

LogRange::Loaded LogRange::Load() const {
  Loaded loaded;
  for (size_t i = 0; i < frames_.records.size(); ++i) {
    absl::StatusOr<FrameLines> frame =
        parts_.reader.Read(*frames_.records[i], frames_.enforced[i], *frames_.renderer);
    Check(frame.ok(), "a frame that was decoded once is decoded again");
    loaded.frames.push_back(*std::move(frame));
  }
  loaded.groups = GroupLines(loaded.frames, frames_.sequences, frames_.alone);
  return loaded;
}

bool LogRange::ready() const {
  if (waiting_count_ == 0) return false;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (!waiting_[i].empty() && in_flight_[i] == nullptr) return true;
  }
  return false;
}

LineAttempt* LogRange::Take() {
  while (waiting_[turn_].empty() || in_flight_[turn_] != nullptr)
    turn_ = (turn_ + 1) % waiting_.size();
  LineAttemptPtr& taken = in_flight_[turn_];
  taken = std::move(waiting_[turn_].front());
  waiting_[turn_].pop_front();
  --waiting_count_;
  ++in_flight_count_;
  turn_ = (turn_ + 1) % waiting_.size();
  ++taken->sends;
  return taken.get();
}

void LogRange::OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                        const std::string& words) {
  LineAttemptPtr& place = in_flight_[static_cast<LineAttempt*>(attempt)->queue];
  Check(attempt == place.get(), "an answer to a request that is not in flight");
  LineAttemptPtr answered = std::move(place);
  --in_flight_count_;
  switch (outcome.fate) {
    case Fate::kRetry:
    case Fate::kHold:
      return Retry(std::move(answered), outcome, http_status);
    case Fate::kDelivered:
      settlement_.delivered += answered->items;
      parts_.size.OnDelivered();
      if (!answered->stream.empty()) parts_.streams.OnDelivered(answered->stream);
      return;
    case Fate::kBlocked:
      settlement_.rejected["blocked"] += answered->items;
      return KeepDeadLetter(*answered, http_status, words);
    case Fate::kHalve:
      return HalveAgain(std::move(answered), outcome, http_status);
    case Fate::kPark:
      return ParkRequest(frames_.sequences.front(), *answered, UnitOf(*answered) + " " + words,
                         settlement_);
    case Fate::kSplit:
    case Fate::kRefused:
      return TakeApart(std::move(answered), http_status, words);
  }
}

void LogRange::PushFront(LineAttemptPtr attempt) {
  ++waiting_count_;
  const size_t queue = attempt->queue;
  waiting_[queue].push_front(std::move(attempt));
}

// A push that is larger than the region's burst is answered 429 however long it waits.
void LogRange::Retry(LineAttemptPtr attempt, const Outcome& outcome, int http_status) {
  attempt->ambiguous = attempt->ambiguous || outcome.unanswered;
  attempt->perhaps_stored = attempt->perhaps_stored || outcome.fate == Fate::kRetry;
  if (http_status != kTooMany || attempt->items < 2 ||
      ++attempt->throttled < PushSize::Patience(attempt->unit.bytes, attempt->throttled_part)) {
    return PushFront(std::move(attempt));
  }
  parts_.size.OnThrottled(attempt->unit.bytes);
  AddParts(*attempt, Halve(Load().groups, attempt->unit), http_status);
}

void LogRange::HalveAgain(LineAttemptPtr attempt, const Outcome& outcome, int http_status) {
  attempt->ambiguous = attempt->ambiguous || outcome.unanswered;
  attempt->perhaps_stored = true;
  if (attempt->items < 2) return PushFront(std::move(attempt));
  AddParts(*attempt, Halve(Load().groups, attempt->unit), http_status);
}

std::string LogRange::UnitOf(Attempt& attempt) const {
  auto& lines = static_cast<LineAttempt&>(attempt);
  if (lines.stream.empty() && lines.items == 1)
    lines.stream = std::string(StreamsOf(Load().groups, lines.unit).front().selector);
  return lines.stream;
}

void LogRange::TakeApart(LineAttemptPtr attempt, int http_status, const std::string& words) {
  if (attempt->tries_left == nullptr)
    attempt->tries_left = std::make_shared<uint32_t>(kMaxRefusalTries);
  LineHalves halves;
  if (attempt->items > 1) halves = Halve(Load().groups, attempt->unit);
  if (halves.one_stream()) attempt->stream = halves.first_stream;
  const bool hopeless = http_status != kTooLarge && !attempt->stream.empty() &&
                        parts_.streams.OnRefused(attempt->stream);
  if (attempt->items < 2 || *attempt->tries_left < 2 || hopeless)
    return Refuse(*attempt, http_status, words);
  *attempt->tries_left -= 2;
  AddParts(*attempt, std::move(halves), http_status);
}

// Before all that waits in its queue.
void LogRange::AddParts(const LineAttempt& whole, LineHalves halves, int http_status) {
  std::pair<LineUnit, std::string> parts[] = {{halves.second, std::move(halves.second_stream)},
                                              {halves.first, std::move(halves.first_stream)}};
  for (auto& [unit, stream] : parts) {
    auto part = std::make_unique<LineAttempt>();
    part->unit = unit;
    part->items = unit.lines();
    part->stream = std::move(stream);
    part->queue = whole.queue;
    part->tries_left = whole.tries_left;
    part->failures = whole.failures;
    part->ambiguous = whole.ambiguous;
    part->perhaps_stored = whole.perhaps_stored || http_status != kTooLarge;
    part->throttled_part = whole.throttled_part || http_status == kTooMany;
    PushFront(std::move(part));
  }
}

// Of several lines, some may be good, and those the region has stored.
void LogRange::Refuse(const LineAttempt& attempt, int http_status, const std::string& words) {
  const bool several = attempt.items > 1 && http_status != kTooLarge;
  const bool stored_before = attempt.perhaps_stored && RefusesForOrder(words);
  if (attempt.ambiguous || several || stored_before) {
    settlement_.uncertain += attempt.items;
  } else {
    settlement_.rejected[http_status == kTooLarge ? "too_large" : "bad_request"] += attempt.items;
  }
  KeepDeadLetter(attempt, http_status, words);
}

void LogRange::KeepDeadLetter(const LineAttempt& attempt, int http_status,
                              const std::string& words) {
  if (settlement_.dead_letters.size() >= kMaxDeadLettersPerRange) return;
  LineText first = FirstLine(Load().groups, attempt.unit);
  settlement_.dead_letters.push_back(
      {first.sequence, attempt.items, http_status, std::move(first.text), words});
}

Settlement LogRange::Finish() {
  CheckCounts(settlement_, items_);
  return std::move(settlement_);
}

}  // namespace ampari
