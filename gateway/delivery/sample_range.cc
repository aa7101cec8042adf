#include "gateway/delivery/sample_range.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/runtime/check.h"
#include "gateway/layouts/series_renderer.h"

namespace ampari {

SampleRange::SampleRange(std::vector<Stage> stages, RequestBounds bounds, Settlement settlement,
                         uint64_t items, bool attempted, const ParkedUnits* parked)
    : stages_(std::move(stages)),
      bounds_(bounds),
      settlement_(std::move(settlement)),
      items_(items),
      attempted_(attempted),
      parked_(parked) {
  Advance();
}

void SampleRange::Advance() {
  while (done()) {
    if (!rounds_.empty()) {
      ready_ = std::move(rounds_.front());
      rounds_.pop_front();
    } else if (next_stage_ < stages_.size()) {
      AddStage(stages_[next_stage_++]);
    } else {
      return;
    }
  }
}

void SampleRange::AddStage(const Stage& stage) {
  SampleAttempt whole;
  whole.ambiguous = attempted_;
  for (RequestPlan& plan : PlanRequests(stage, bounds_)) {
    if (parked_ == nullptr || parked_->empty()) {
      AddReady(std::move(plan), whole);
      continue;
    }
    const auto is_parked = [this](std::string_view series) { return parked_->Contains(series); };
    for (RequestPlan& part : SetApart(plan, is_parked)) AddReady(std::move(part), whole);
  }
}

std::string SampleRange::UnitOf(Attempt& attempt) const {
  return divisible(attempt) ? ""
                            : std::string(FirstSeries(static_cast<SampleAttempt&>(attempt).plan));
}

std::string SampleRange::UnitText(Attempt& attempt) const {
  return LabelFieldsText(FirstSeries(static_cast<SampleAttempt&>(attempt).plan),
                         kMaxSeriesTextBytes);
}

bool SampleRange::divisible(const Attempt& attempt) const {
  return SeriesCount(static_cast<const SampleAttempt&>(attempt).plan) > 1;
}

SampleAttempt* SampleRange::Take() {
  in_flight_.splice(in_flight_.end(), ready_, ready_.begin());
  ++in_flight_.back().sends;
  return &in_flight_.back();
}

void SampleRange::OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                           const std::string& words) {
  const auto at = std::find_if(in_flight_.begin(), in_flight_.end(),
                               [&](const SampleAttempt& a) { return &a == attempt; });
  Check(at != in_flight_.end(), "an answer to a request that is not in flight");
  if (outcome.fate == Fate::kRetry || outcome.fate == Fate::kHold || outcome.fate == Fate::kHalve)
    return Again(at, outcome);
  SampleAttempt answered = std::move(*at);
  in_flight_.erase(at);
  if (outcome.fate == Fate::kDelivered) {
    settlement_.delivered += answered.items;
  } else if (outcome.fate == Fate::kPark) {
    const GroupSlice& slice = answered.plan.slices.front();
    ParkRequest(slice.group->columns[slice.column].record, answered,
                UnitText(answered) + " " + words, settlement_);
  } else if (outcome.fate == Fate::kRefused && answered.plan.merged()) {
    Unmerge(answered);
  } else {
    TakeApart(std::move(answered), http_status, words);
  }
  Advance();
}

// After what is ready: when few may be in flight, one that fails for ever lets the others try.
void SampleRange::Again(Attempts::iterator at, const Outcome& outcome) {
  at->ambiguous = at->ambiguous || outcome.unanswered;
  if (outcome.fate != Fate::kHalve || !divisible(*at))
    return ready_.splice(ready_.end(), in_flight_, at);
  for (RequestPlan& part : HalveRequest(at->plan)) AddReady(std::move(part), *at);
  in_flight_.erase(at);
}

void SampleRange::AddReady(RequestPlan plan, const SampleAttempt& parent) {
  if (plan.samples == 0) return;
  SampleAttempt& attempt = ready_.emplace_back();
  attempt.items = plan.samples;
  attempt.plan = std::move(plan);
  attempt.ambiguous = parent.ambiguous;
  attempt.tries_left = parent.tries_left;
  attempt.failures = parent.failures;
}

// Breadth first, so that the tries are spread over the whole request.
void SampleRange::TakeApart(SampleAttempt attempt, int http_status, const std::string& words) {
  if (attempt.tries_left == nullptr)
    attempt.tries_left = std::make_shared<uint32_t>(kMaxRefusalTries);
  if (*attempt.tries_left < 2) return Refuse(attempt, http_status, words);
  std::vector<RequestPlan> parts = HalveRequest(attempt.plan);
  if (parts.size() < 2) {
    if (attempt.plan.merged()) return Unmerge(attempt);
    return Refuse(attempt, http_status, words);
  }
  *attempt.tries_left -= 2;
  for (RequestPlan& part : parts) AddReady(std::move(part), attempt);
}

void SampleRange::Unmerge(const SampleAttempt& attempt) {
  merge_refused_ = true;
  SampleAttempt parent;
  parent.ambiguous = true;  // a receiver that stored the good part refuses it the second time
  std::vector<RequestPlan> scrapes = UnmergeRequest(attempt.plan);
  for (size_t i = 0; i < scrapes.size(); ++i) {
    if (i == 0) {
      AddReady(std::move(scrapes[i]), parent);
      continue;
    }
    if (rounds_.size() < i) rounds_.emplace_back();
    SampleAttempt& later = rounds_[i - 1].emplace_back();
    later.items = scrapes[i].samples;
    later.plan = std::move(scrapes[i]);
    later.ambiguous = true;
  }
}

void SampleRange::Refuse(const SampleAttempt& attempt, int http_status, const std::string& words) {
  const uint64_t samples = attempt.items;
  if (attempt.ambiguous) {
    settlement_.uncertain += samples;
  } else {
    settlement_.rejected[http_status == 413 ? "too_large" : "bad_request"] += samples;
  }
  if (settlement_.dead_letters.size() >= kMaxDeadLettersPerRange) return;
  const GroupSlice& slice = attempt.plan.slices.front();
  settlement_.dead_letters.push_back(
      {slice.group->columns[slice.column].record, samples, http_status,
       LabelFieldsText(FirstSeries(attempt.plan), kMaxSeriesTextBytes), words});
}

Settlement SampleRange::Finish() {
  CheckCounts(settlement_, items_);
  return std::move(settlement_);
}

}  // namespace ampari
