#include "gateway/delivery/sample_range.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/runtime/check.h"
#include "gateway/layouts/series_renderer.h"

namespace ampari {

SampleRange::SampleRange(std::vector<Stage> stages, RequestBounds bounds, Settlement settlement,
                         uint64_t items, bool attempted)
    : stages_(std::move(stages)),
      bounds_(bounds),
      settlement_(std::move(settlement)),
      items_(items),
      attempted_(attempted) {
  Advance();
}

void SampleRange::Advance() {
  while (done()) {
    if (!rounds_.empty()) {
      ready_ = std::move(rounds_.front());
      rounds_.pop_front();
    } else if (next_stage_ < stages_.size()) {
      for (RequestPlan& plan : PlanRequests(stages_[next_stage_++], bounds_)) {
        SampleAttempt& attempt = ready_.emplace_back();
        attempt.items = plan.samples;
        attempt.plan = std::move(plan);
        attempt.ambiguous = attempted_;
      }
    } else {
      return;
    }
  }
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
  if (outcome.fate == Fate::kRetry || outcome.fate == Fate::kHold) {
    at->ambiguous = at->ambiguous || outcome.unanswered;
    ready_.splice(ready_.begin(), in_flight_, at);
    return;
  }
  SampleAttempt answered = std::move(*at);
  in_flight_.erase(at);
  if (outcome.fate == Fate::kDelivered) {
    settlement_.delivered += answered.items;
  } else if (outcome.fate == Fate::kRefused && answered.plan.merged()) {
    Unmerge(answered);
  } else {
    TakeApart(std::move(answered), http_status, words);
  }
  Advance();
}

void SampleRange::AddReady(RequestPlan plan, const SampleAttempt& parent) {
  if (plan.samples == 0) return;
  SampleAttempt& attempt = ready_.emplace_back();
  attempt.items = plan.samples;
  attempt.plan = std::move(plan);
  attempt.ambiguous = parent.ambiguous;
  attempt.tries_left = parent.tries_left;
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
