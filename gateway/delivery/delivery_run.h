// DeliveryRun: one life of a destination's delivery loop, confined to its thread. Each turn: mail,
// alignment, read, build ranges, send, show, wait for I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "common/http/loop.h"
#include "common/runtime/clock.h"
#include "gateway/delivery/alignment.h"
#include "gateway/delivery/cargo.h"
#include "gateway/delivery/delivery_meter.h"
#include "gateway/delivery/lane.h"
#include "gateway/delivery/lane_health.h"
#include "gateway/delivery/lane_reader.h"
#include "gateway/delivery/loop_mail.h"
#include "gateway/delivery/pacing.h"
#include "gateway/delivery/parked_units.h"
#include "gateway/delivery/record_source.h"
#include "gateway/delivery/redaction.h"

namespace ampari {

// All must outlive the run, but for `mail`, which callbacks share.
struct DeliveryParts {
  DestinationId id;
  RecordSource& source;
  Cargo& cargo;
  const Clock& clock;
  DeliveryMeter& meter;
  std::shared_ptr<LoopMail> mail;
  HttpLoop& http;
  int64_t started_ms;  // persisted clock: what was taken in before may have been sent before
};

// Not thread-safe. Returns from Run() after LoopMail::Stop(), once what is in flight was answered
// or 2 s have passed.
class DeliveryRun {
 public:
  DeliveryRun(DeliveryParts parts, const DeliverySettings& settings);
  void Run();

 private:
  // delivery_run.cc: the turn
  void Configure(const DeliverySettings& settings);
  void TakeMail();
  void GiveUpRange(Lane& lane);
  bool Finished(absl::Duration now) const;
  bool AnyReady() const;
  bool AllDurable() const;
  absl::Duration NextWait(absl::Duration now) const;
  void Observe(absl::Duration now);
  std::string State(absl::Duration now) const;

  // delivery_ranges.cc: from records to ranges, from ranges to settlements
  void StartLanes();
  void Read();
  void Align(absl::Duration now);
  void BuildRanges(absl::Duration now);
  bool MayBuild(const Lane& lane, absl::Duration now);
  bool Ripe(const Lane& lane) const;
  void BuildRange(Lane& lane, absl::Duration now);
  void OnIntended(Lane& lane);
  void ReloadCursor(Lane& lane);
  void SettleIfDone(Lane& lane);

  // delivery_requests.cc: requests and answers
  void SendReady(absl::Duration now);
  Lane* NextLane(absl::Duration now);
  void Send(Lane& lane, absl::Duration now);
  void SendExtra(absl::Duration now);
  void OnAnswer(Lane& lane, Attempt* attempt, absl::Duration started, const HttpResponse& response);
  void Pace(Lane& lane, const Outcome& outcome, const HttpResponse& response,
            absl::Duration started, const std::string& words);

  // delivery_failures.cc: requests that fail for long
  Remedy RemedyFor(Lane& lane, Attempt& attempt, const HttpResponse& response,
                   const std::string& words, Outcome& outcome);
  void NotePark(Lane& lane, Attempt& attempt, const std::string& unit, const std::string& words);
  bool MayTry(const Lane& lane, Attempt& attempt, absl::Duration now);
  void ParkUnsent(Lane& lane, Attempt* attempt);
  double Random() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  DeliveryParts parts_;
  LoopRules rules_;
  DestinationSecrets secrets_;
  Pacing pacing_;
  FailureWatch watch_;
  ParkedUnits parked_;
  Lanes lanes_;  // its ranges refer to parked_
  LaneReader reader_;
  Alignment alignment_;
  std::minstd_rand random_;

  uint32_t in_flight_ = 0;
  uint32_t unhealthy_in_flight_ = 0;  // of those, of lanes that were unhealthy
  uint32_t turn_ = 0;                 // the lane whose request comes next
  uint64_t range_items_ = 0;          // samples or lines of all ranges
  bool extra_in_flight_ = false;
  bool stopping_ = false;
  bool waiting_for_others_ = false;  // some lane waits for alignment or for producers
  bool awaiting_producers_ = false;  // nothing is sent before they have come back
  absl::Duration stop_at_ = absl::InfiniteDuration();
  absl::Duration aligned_at_ = -absl::InfiniteDuration();
  absl::Duration read_again_at_ = -absl::InfiniteDuration();  // after an error of the store
  absl::Duration delivered_at_ = -absl::InfiniteDuration();
};

}  // namespace ampari
