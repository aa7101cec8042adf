// LaneRange: consecutive frames of one lane that are sent together and settled together. Takes
// answers, says what is to be sent next, and counts what became of every sample. Pure: no I/O, no
// clock.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "gateway/delivery/outcome.h"
#include "gateway/delivery/stage.h"
#include "gateway/store/settlement.h"

namespace ampari {

// Further requests that one refused request may cost: some 25 refused series of 2,000 are found
// within it.
inline constexpr uint32_t kMaxRefusalTries = 512;
inline constexpr size_t kMaxDeadLettersPerRange = 200;
inline constexpr size_t kMaxSeriesTextBytes = 1024;

// One request of a range. Its samples never change: a resend has the same bytes.
struct Attempt {
  RequestPlan plan;
  std::shared_ptr<const std::string> body;  // once it was encoded
  uint32_t sends = 0;
  bool ambiguous = false;  // a refusal would not prove that the region lacks the samples
  std::shared_ptr<uint32_t> tries_left;  // of the refused request that it is a part of
};

class LaneRange {
 public:
  // `settlement` holds the extent and what was counted before sending; `items` is what all must add
  // up to. `attempted`: the frames may have been sent before the last stop.
  LaneRange(std::vector<Stage> stages, RequestBounds bounds, Settlement settlement, uint64_t items,
            bool attempted);

  bool ready() const { return !ready_.empty(); }
  // The next request to send; it is in flight until OnAnswer(). The attempt lives until then.
  Attempt* Take();
  void OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                const std::string& words);
  size_t in_flight() const { return in_flight_.size(); }
  bool done() const { return ready_.empty() && in_flight_.empty(); }
  // A merged request was refused: the destination is not merged for a while.
  bool merge_refused() const { return merge_refused_; }
  // Queue sequence after its last frame.
  uint64_t upto() const { return settlement_.upto; }
  // Once done().
  Settlement Finish();

 private:
  using Attempts = std::list<Attempt>;

  void Advance();
  void AddReady(RequestPlan plan, const Attempt& parent);
  void TakeApart(Attempt attempt, int http_status, const std::string& words);
  void Unmerge(const Attempt& attempt);
  void Refuse(const Attempt& attempt, int http_status, const std::string& words);

  std::vector<Stage> stages_;
  size_t next_stage_ = 0;
  const RequestBounds bounds_;
  Settlement settlement_;
  const uint64_t items_;
  const bool attempted_;
  Attempts ready_, in_flight_;
  std::deque<Attempts> rounds_;  // unmerged scrapes that wait until all that is older is answered
  bool merge_refused_ = false;
};

}  // namespace ampari
