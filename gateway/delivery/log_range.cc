#include "gateway/delivery/log_range.h"

#include <utility>

#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr int kTooLarge = 413;

// A line that was stored by an earlier push may be refused so the second time, when the stream has
// moved on meanwhile.
bool RefusesForOrder(const std::string& words) {
  return words.find("too far behind") != std::string::npos ||
         words.find("out of order") != std::string::npos;
}

}  // namespace

LogRange::LogRange(LogFrames frames, LogFrameReader& reader, RefusedStreams& refused,
                   const std::vector<LineUnit>& batches, Settlement settlement, uint64_t items,
                   bool attempted)
    : frames_(std::move(frames)),
      reader_(reader),
      refused_(refused),
      settlement_(std::move(settlement)),
      items_(items) {
  for (const LineUnit& batch : batches) {
    LineAttempt& attempt = *waiting_.emplace_back(std::make_unique<LineAttempt>());
    attempt.unit = batch;
    attempt.items = batch.lines();
    attempt.ambiguous = attempted;
  }
}

void LogRange::SetBody(std::string body) {
  waiting_.front()->body = std::make_shared<const std::string>(std::move(body));
}

std::vector<FrameLines> LogRange::Load() const {
  std::vector<FrameLines> lines;
  for (size_t i = 0; i < frames_.records.size(); ++i) {
    absl::StatusOr<FrameLines> frame =
        reader_.Read(*frames_.records[i], frames_.enforced[i], *frames_.renderer);
    Check(frame.ok(), "a frame that was decoded once is decoded again");
    lines.push_back(*std::move(frame));
  }
  return lines;
}

LineAttempt* LogRange::Take() {
  in_flight_ = std::move(waiting_.front());
  waiting_.pop_front();
  ++in_flight_->sends;
  return in_flight_.get();
}

void LogRange::OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                        const std::string& words) {
  Check(attempt == in_flight_.get(), "an answer to a request that is not in flight");
  AttemptPtr answered = std::move(in_flight_);
  switch (outcome.fate) {
    case Fate::kRetry:
    case Fate::kHold:
      answered->ambiguous = answered->ambiguous || outcome.unanswered;
      answered->perhaps_stored = answered->perhaps_stored || outcome.fate == Fate::kRetry;
      waiting_.push_front(std::move(answered));
      return;
    case Fate::kDelivered:
      settlement_.delivered += answered->items;
      if (!answered->stream.empty()) refused_.OnDelivered(answered->stream);
      return;
    case Fate::kBlocked:
      settlement_.rejected["blocked"] += answered->items;
      return KeepDeadLetter(*answered, http_status, words);
    case Fate::kSplit:
    case Fate::kRefused:
      return TakeApart(std::move(answered), http_status, words);
  }
}

void LogRange::TakeApart(AttemptPtr attempt, int http_status, const std::string& words) {
  if (attempt->tries_left == nullptr)
    attempt->tries_left = std::make_shared<uint32_t>(kMaxRefusalTries);
  LineHalves halves;
  if (attempt->items > 1) halves = Halve(Load(), attempt->unit);
  if (halves.one_stream()) attempt->stream = halves.first_stream;
  const bool hopeless =
      http_status != kTooLarge && !attempt->stream.empty() && refused_.OnRefused(attempt->stream);
  if (attempt->items < 2 || *attempt->tries_left < 2 || hopeless)
    return Refuse(*attempt, http_status, words);
  *attempt->tries_left -= 2;
  AddPart(*attempt, halves.second, std::move(halves.second_stream), http_status);
  AddPart(*attempt, halves.first, std::move(halves.first_stream), http_status);
}

// Before all that waits.
void LogRange::AddPart(const LineAttempt& whole, const LineUnit& unit, std::string stream,
                       int http_status) {
  auto part = std::make_unique<LineAttempt>();
  part->unit = unit;
  part->items = unit.lines();
  part->stream = std::move(stream);
  part->tries_left = whole.tries_left;
  part->ambiguous = whole.ambiguous;
  part->perhaps_stored = whole.perhaps_stored || http_status != kTooLarge;
  waiting_.push_front(std::move(part));
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
  settlement_.dead_letters.push_back({attempt.unit.first_frame, attempt.items, http_status,
                                      FirstLineText(Load(), attempt.unit), words});
}

Settlement LogRange::Finish() {
  CheckCounts(settlement_, items_);
  return std::move(settlement_);
}

}  // namespace ampari
