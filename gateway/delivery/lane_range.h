// LaneRange: consecutive frames of one lane that are settled together. Takes answers, says what is
// to be sent next, and counts what became of every sample or line. Of samples in sample_range.h, of
// lines in log_range.h. Without I/O and clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gateway/delivery/lane_health.h"
#include "gateway/delivery/outcome.h"
#include "gateway/store/settlement.h"

namespace ampari {

// Further requests that one refused request may cost: some 25 refused units of 2,000 are found
// within it.
inline constexpr uint32_t kMaxRefusalTries = 512;
inline constexpr size_t kMaxDeadLettersPerRange = 200;

// One request of a range; each kind of range has more of it. Its items never change: a resend has
// the same bytes.
struct Attempt {
  uint64_t items = 0;                       // samples or lines
  std::shared_ptr<const std::string> body;  // once it was encoded
  uint32_t sends = 0;
  bool ambiguous = false;  // a refusal would not prove that the region lacks the items
  FailureHistory failures;
};

// Thread-compatible.
class LaneRange {
 public:
  virtual ~LaneRange() = default;

  // Something may be sent beside what is in flight.
  virtual bool ready() const = 0;
  // The next request to send; it is in flight until OnAnswer(). The attempt lives until then.
  virtual Attempt* Take() = 0;
  virtual void OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                        const std::string& words) = 0;
  virtual size_t in_flight() const = 0;
  virtual bool done() const = 0;
  // The unit that the request is of (parked_units.h), "" when it is of several.
  virtual std::string UnitOf(Attempt& attempt) const = 0;
  virtual std::string UnitText(Attempt& attempt) const { return UnitOf(attempt); }  // for people
  virtual bool divisible(const Attempt& attempt) const = 0;
  // Queue sequence after its last frame.
  virtual uint64_t upto() const = 0;
  // Once done(): what became of its items, which are as many as it began with.
  virtual Settlement Finish() = 0;
};

// Sets the request aside as parked: `sequence` is of a frame that it is (also) of. A range sets
// aside all that it parks as one, and keeps the words of the first.
void ParkRequest(uint64_t sequence, const Attempt& attempt, const std::string& words,
                 Settlement& settlement);

// Aborts unless what `settlement` tells is of exactly `items` items.
void CheckCounts(const Settlement& settlement, uint64_t items);

}  // namespace ampari
