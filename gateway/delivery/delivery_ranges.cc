// DeliveryRun: from records to ranges, from ranges to settlements.
#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "gateway/delivery/delivery_run.h"

namespace ampari {
namespace {

constexpr absl::Duration kAlignEvery = absl::Milliseconds(250);
constexpr absl::Duration kStoreRetry = absl::Seconds(1);
constexpr uint64_t kMaxRangeItems = 8'000'000;  // of all ranges: 64 MB of values

}  // namespace

void DeliveryRun::StartLanes() {
  const std::array<LaneState, kLanes> states = parts_.source.Lanes();
  lanes_ = Lanes(kLanes);
  for (uint32_t i = 0; i < kLanes; ++i) {
    lanes_[i].number = i;
    lanes_[i].cursor = lanes_[i].next_read = states[i].cursor;
    lanes_[i].intended = {states[i].merged_upto, states[i].merged_generation};
    lanes_[i].backoff = Backoff(rules_.pacing.backoff);
    lanes_[i].batch_bytes = rules_.batch_bytes;
  }
  reader_.Start(lanes_);
}

void DeliveryRun::Read() {
  const absl::Duration now = parts_.clock.Monotonic();
  if (now < read_again_at_) return;
  absl::Status status = reader_.Fill(parts_.source, lanes_);
  if (status.ok()) return;
  read_again_at_ = now + kStoreRetry;
  Log(LogLevel::kWarn, "records could not be read",
      {{"destination", parts_.id.name}, {"error", status}});
}

void DeliveryRun::Align(absl::Duration now) {
  if (!rules_.aligned || now < aligned_at_ + kAlignEvery) return;
  aligned_at_ = now;
  std::array<LaneStand, kLanes> stands;
  for (const Lane& lane : lanes_) {
    LaneStand& stand = stands[lane.number];
    stand.healthy = lane.health.healthy(now);
    if (lane.range != nullptr) {
      stand.origin_ms = lane.range_origin_ms;
    } else if (!lane.buffer.empty()) {
      stand.origin_ms = lane.buffer.front()->header.origin_ms;
    } else {
      stand.origin_ms = parts_.source.OldestAnnounced(lane.number);
    }
  }
  alignment_.Update(stands, parts_.source.NowMs());
}

// Whether the lane's frames need not wait for further ones.
bool DeliveryRun::Ripe(const Lane& lane) const {
  if (rules_.batch_bytes == 0 || lane.Full()) return true;
  const int64_t wait_ms = absl::ToInt64Milliseconds(rules_.batch_wait);
  return parts_.source.NowMs() - lane.buffer.front()->header.intake_ms >= wait_ms;
}

// Notes what the lane waits for, if it is others.
bool DeliveryRun::MayBuild(const Lane& lane, absl::Duration now) {
  if (lane.range != nullptr || lane.buffer.empty() || lane.AwaitsIntended()) return false;
  if (lane.frames_ahead >= kMaxFramesAhead || now < lane.not_before) return false;
  const bool may =
      Ripe(lane) && !awaiting_producers_ &&
      (!rules_.aligned || alignment_.May(lane.number, lane.buffer.front()->header.origin_ms));
  waiting_for_others_ = waiting_for_others_ || !may;
  return may;
}

void DeliveryRun::BuildRanges(absl::Duration now) {
  waiting_for_others_ = false;
  awaiting_producers_ = rules_.aligned && parts_.source.AwaitingProducers();
  for (uint32_t i = 0; i < kLanes; ++i) {
    Lane& lane = lanes_[(turn_ + i) % kLanes];
    if (!MayBuild(lane, now)) continue;
    if (range_items_ > kMaxRangeItems) break;
    BuildRange(lane, now);
  }
}

void DeliveryRun::BuildRange(Lane& lane, absl::Duration now) {
  absl::Status status = parts_.cargo.Build(
      parts_.source, {now, parts_.clock.Now(), parts_.started_ms, &parked_}, lane);
  if (absl::IsAborted(status)) return ReloadCursor(lane);
  if (!status.ok()) {
    lane.not_before = now + kStoreRetry;
    Log(LogLevel::kWarn, "a frame could not be prepared",
        {{"destination", parts_.id.name}, {"error", status}});
    return;
  }
  range_items_ += lane.range_items;
  parts_.meter.AddNotes(parts_.cargo.TakeNotes());
  if (!lane.intending) return SettleIfDone(lane);
  parts_.source.IntendRange(lane.number, lane.cursor, lane.intended.upto, lane.intended.generation,
                            [mail = parts_.mail, number = lane.number] { mail->Intended(number); });
}

void DeliveryRun::OnIntended(Lane& lane) {
  lane.intending = false;
  if (lane.give_up_due) return GiveUpRange(lane);
  SettleIfDone(lane);
}

// The store has expired frames of the lane. What was settled before must be durable first, or its
// cursor would go back.
void DeliveryRun::ReloadCursor(Lane& lane) {
  if (!lane.settling.empty()) return;
  lane.cursor = std::max(lane.cursor, parts_.source.Lanes()[lane.number].cursor);
  while (!lane.buffer.empty() && lane.buffer.front()->sequence < lane.cursor) lane.PopFront();
  lane.next_read = std::max(lane.next_read, lane.cursor);
}

void DeliveryRun::SettleIfDone(Lane& lane) {
  if (!lane.range->done()) return;
  parts_.cargo.OnDone(*lane.range, parts_.clock.Monotonic());
  Settlement settlement = lane.range->Finish();
  settlement.destination = parts_.id;
  for (const AsideFrame& frame : settlement.aside) {
    if (frame.reason == AsideReason::kParked) continue;  // was told once
    Log(LogLevel::kError, "a frame is set aside",
        {{"destination", parts_.id.name},
         {"sequence", std::to_string(frame.sequence)},
         {"why", frame.words}});
  }
  range_items_ -= lane.range_items;
  lane.cursor = settlement.upto;
  lane.settling.push_back(lane.range_frames);
  lane.range.reset();
  parts_.source.Settle(std::move(settlement),
                       [mail = parts_.mail, number = lane.number] { mail->Settled(number); });
}

}  // namespace ampari
