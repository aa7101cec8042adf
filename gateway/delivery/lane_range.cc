#include "gateway/delivery/lane_range.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/runtime/check.h"
#include "gateway/layouts/series_renderer.h"

namespace ampari {

LaneRange::LaneRange(std::vector<Stage> stages, RequestBounds bounds, Settlement settlement,
                     uint64_t items, bool attempted)
    : stages_(std::move(stages)),
      bounds_(bounds),
      settlement_(std::move(settlement)),
      items_(items),
      attempted_(attempted) {
  Advance();
}

void LaneRange::Advance() {
  while (done()) {
    if (!rounds_.empty()) {
      ready_ = std::move(rounds_.front());
      rounds_.pop_front();
    } else if (next_stage_ < stages_.size()) {
      for (RequestPlan& plan : PlanRequests(stages_[next_stage_++], bounds_)) {
        Attempt attempt;
        attempt.plan = std::move(plan);
        attempt.ambiguous = attempted_;
        ready_.push_back(std::move(attempt));
      }
    } else {
      return;
    }
  }
}

Attempt* LaneRange::Take() {
  in_flight_.splice(in_flight_.end(), ready_, ready_.begin());
  ++in_flight_.back().sends;
  return &in_flight_.back();
}

void LaneRange::OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                         const std::string& words) {
  const auto at = std::find_if(in_flight_.begin(), in_flight_.end(),
                               [&](const Attempt& a) { return &a == attempt; });
  Check(at != in_flight_.end(), "an answer to a request that is not in flight");
  if (outcome.fate == Fate::kRetry || outcome.fate == Fate::kHold) {
    at->ambiguous = at->ambiguous || outcome.unanswered;
    ready_.splice(ready_.begin(), in_flight_, at);
    return;
  }
  Attempt answered = std::move(*at);
  in_flight_.erase(at);
  if (outcome.fate == Fate::kDelivered) {
    settlement_.delivered += answered.plan.samples;
  } else if (outcome.fate == Fate::kRefused && answered.plan.merged()) {
    Unmerge(answered);
  } else {
    TakeApart(std::move(answered), http_status, words);
  }
  Advance();
}

void LaneRange::AddReady(RequestPlan plan, const Attempt& parent) {
  if (plan.samples == 0) return;
  Attempt attempt;
  attempt.plan = std::move(plan);
  attempt.ambiguous = parent.ambiguous;
  attempt.tries_left = parent.tries_left;
  ready_.push_back(std::move(attempt));
}

// Breadth first, so that the tries are spread over the whole request.
void LaneRange::TakeApart(Attempt attempt, int http_status, const std::string& words) {
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

void LaneRange::Unmerge(const Attempt& attempt) {
  merge_refused_ = true;
  Attempt parent;
  parent.ambiguous = true;  // a receiver that stored the good part refuses it the second time
  std::vector<RequestPlan> scrapes = UnmergeRequest(attempt.plan);
  for (size_t i = 0; i < scrapes.size(); ++i) {
    if (i == 0) {
      AddReady(std::move(scrapes[i]), parent);
      continue;
    }
    if (rounds_.size() < i) rounds_.emplace_back();
    Attempt later;
    later.plan = std::move(scrapes[i]);
    later.ambiguous = true;
    rounds_[i - 1].push_back(std::move(later));
  }
}

void LaneRange::Refuse(const Attempt& attempt, int http_status, const std::string& words) {
  const uint64_t samples = attempt.plan.samples;
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

Settlement LaneRange::Finish() {
  uint64_t counted = settlement_.delivered + settlement_.dropped + settlement_.uncertain;
  for (const auto& [reason, samples] : settlement_.rejected) counted += samples;
  for (const auto& [reason, samples] : settlement_.expired) counted += samples;
  for (const AsideFrame& frame : settlement_.aside) counted += frame.samples;
  Check(counted == items_, "a range was settled with other counts than its frames have");
  return std::move(settlement_);
}

}  // namespace ampari
