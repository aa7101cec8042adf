#include "gateway/store/ledger.h"

#include <algorithm>

#include "ampari/store/v1/store.pb.h"

namespace ampari {
namespace {

uint64_t Sum(const std::map<std::string, uint64_t>& counts) {
  uint64_t total = 0;
  for (const auto& [reason, count] : counts) total += count;
  return total;
}

void AddAll(std::map<std::string, uint64_t>& counts, const std::map<std::string, uint64_t>& more) {
  for (const auto& [reason, count] : more) {
    if (count > 0) counts[reason] += count;
  }
}

// Takes frames out of pending; what stands in `still_pending` items stays.
void TakePending(Ledger& ledger, const FrameSum& frames, uint64_t still_pending) {
  ledger.pending -= std::min(ledger.pending, frames.items - still_pending);
  ledger.pending_frames -= std::min(ledger.pending_frames, frames.frames);
  ledger.pending_bytes -= std::min(ledger.pending_bytes, frames.bytes);
}

}  // namespace

FrameSum& FrameSum::operator+=(const FrameSum& other) {
  items += other.items;
  frames += other.frames;
  bytes += other.bytes;
  return *this;
}

FrameSum operator-(const FrameSum& a, const FrameSum& b) {
  return {a.items - b.items, a.frames - b.frames, a.bytes - b.bytes};
}

bool Holds(const Ledger& ledger) {
  return ledger.accepted == ledger.delivered + ledger.pending + Sum(ledger.rejected) +
                                Sum(ledger.expired) + ledger.dropped + ledger.lost +
                                ledger.uncertain;
}

void AddAccepted(Ledger& ledger, const FrameSum& frames) {
  ledger.accepted += frames.items;
  ledger.pending += frames.items;
  ledger.pending_frames += frames.frames;
  ledger.pending_bytes += frames.bytes;
}

void AddGap(Ledger& ledger, uint64_t items, const std::string& reason) {
  ledger.accepted += items;
  ledger.expired[reason] += items;
}

void AddExpired(Ledger& ledger, const FrameSum& frames, const std::string& reason) {
  TakePending(ledger, frames, 0);
  ledger.expired[reason] += frames.items;
}

void AddLost(Ledger& ledger, const FrameSum& frames) {
  TakePending(ledger, frames, 0);
  ledger.lost += frames.items;
}

uint64_t SettledItems(const Settlement& settlement) {
  uint64_t aside = 0;
  for (const AsideFrame& frame : settlement.aside) aside += frame.samples;
  return settlement.delivered + Sum(settlement.rejected) + Sum(settlement.expired) +
         settlement.dropped + settlement.uncertain + aside;
}

void AddSettled(Ledger& ledger, const FrameSum& frames, const Settlement& settlement) {
  uint64_t aside = 0;
  for (const AsideFrame& frame : settlement.aside) {
    aside += frame.samples;
    ledger.aside[AsideName(frame.reason)] += frame.samples;
  }
  TakePending(ledger, frames, aside);
  ledger.delivered += settlement.delivered;
  ledger.dropped += settlement.dropped;
  ledger.uncertain += settlement.uncertain;
  AddAll(ledger.rejected, settlement.rejected);
  AddAll(ledger.expired, settlement.expired);
}

void AddAsideExpired(Ledger& ledger, AsideReason why_aside, uint64_t items,
                     const std::string& reason) {
  uint64_t& aside = ledger.aside[AsideName(why_aside)];
  uint64_t taken = std::min(aside, items);
  aside -= taken;
  ledger.pending -= taken;
  ledger.expired[reason] += taken;
}

std::string AsideName(AsideReason reason) {
  switch (reason) {
    case AsideReason::kQuarantined:
      return "quarantined";
    case AsideReason::kTooOld:
      return "too_old";
    case AsideReason::kParked:
      return "parked";
  }
  return "unknown";
}

std::string EncodeLedger(const Ledger& ledger) {
  store::v1::LedgerState state;
  state.set_accepted(ledger.accepted);
  state.set_delivered(ledger.delivered);
  state.set_dropped(ledger.dropped);
  state.set_uncertain(ledger.uncertain);
  state.set_lost(ledger.lost);
  state.set_pending(ledger.pending);
  state.set_pending_frames(ledger.pending_frames);
  state.set_pending_bytes(ledger.pending_bytes);
  state.mutable_aside()->insert(ledger.aside.begin(), ledger.aside.end());
  state.mutable_rejected()->insert(ledger.rejected.begin(), ledger.rejected.end());
  state.mutable_expired()->insert(ledger.expired.begin(), ledger.expired.end());
  return state.SerializeAsString();
}

absl::StatusOr<Ledger> DecodeLedger(std::string_view bytes) {
  store::v1::LedgerState state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("a ledger cannot be read");
  }
  Ledger ledger;
  ledger.accepted = state.accepted();
  ledger.delivered = state.delivered();
  ledger.dropped = state.dropped();
  ledger.uncertain = state.uncertain();
  ledger.lost = state.lost();
  ledger.pending = state.pending();
  ledger.pending_frames = state.pending_frames();
  ledger.pending_bytes = state.pending_bytes();
  ledger.aside.insert(state.aside().begin(), state.aside().end());
  ledger.rejected.insert(state.rejected().begin(), state.rejected().end());
  ledger.expired.insert(state.expired().begin(), state.expired().end());
  return ledger;
}

}  // namespace ampari
