// SampleRange: the LaneRange of samples. Requests of a stage are in flight together, since no two
// of them hold the same series. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "gateway/delivery/lane_range.h"
#include "gateway/delivery/parked_units.h"
#include "gateway/delivery/stage.h"

namespace ampari {

inline constexpr size_t kMaxSeriesTextBytes = 1024;

struct SampleAttempt : Attempt {
  RequestPlan plan;
  std::shared_ptr<uint32_t> tries_left;  // of the refused request that it is a part of
};

// Thread-compatible.
class SampleRange final : public LaneRange {
 public:
  // `settlement` holds the extent and what was counted before sending; `items` is what all must add
  // up to. `attempted`: the frames may have been sent before the last stop. The series of `parked`
  // (null: none), which must outlive it, share no request.
  SampleRange(std::vector<Stage> stages, RequestBounds bounds, Settlement settlement,
              uint64_t items, bool attempted, const ParkedUnits* parked = nullptr);

  bool ready() const override { return !ready_.empty(); }
  SampleAttempt* Take() override;
  void OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                const std::string& words) override;
  size_t in_flight() const override { return in_flight_.size(); }
  bool done() const override { return ready_.empty() && in_flight_.empty(); }
  std::string UnitOf(Attempt& attempt) const override;
  std::string UnitText(Attempt& attempt) const override;
  bool divisible(const Attempt& attempt) const override;
  uint64_t upto() const override { return settlement_.upto; }
  Settlement Finish() override;

  // A merged request was refused: the destination is not merged for a while.
  bool merge_refused() const { return merge_refused_; }

 private:
  using Attempts = std::list<SampleAttempt>;

  void Advance();
  void AddStage(const Stage& stage);
  void Again(Attempts::iterator at, const Outcome& outcome);
  void AddReady(RequestPlan plan, const SampleAttempt& parent);
  void TakeApart(SampleAttempt attempt, int http_status, const std::string& words);
  void Unmerge(const SampleAttempt& attempt);
  void Refuse(const SampleAttempt& attempt, int http_status, const std::string& words);

  std::vector<Stage> stages_;
  size_t next_stage_ = 0;
  const RequestBounds bounds_;
  Settlement settlement_;
  const uint64_t items_;
  const bool attempted_;
  const ParkedUnits* const parked_;
  Attempts ready_, in_flight_;
  std::deque<Attempts> rounds_;  // unmerged scrapes that wait until all that is older is answered
  bool merge_refused_ = false;
};

}  // namespace ampari
