// The ledger's arithmetic: every change keeps accepted = delivered + pending + rejected + expired +
// dropped + lost + uncertain. Pure functions over Ledger (store.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/store/store.h"

namespace ampari {

// Sums over some records.
struct FrameSum {
  uint64_t items = 0, frames = 0, bytes = 0;
  FrameSum& operator+=(const FrameSum& other);
  friend FrameSum operator-(const FrameSum& a, const FrameSum& b);
  friend bool operator==(const FrameSum&, const FrameSum&) = default;
};

// True when the invariant holds.
bool Holds(const Ledger& ledger);

// A frame was stored.
void AddAccepted(Ledger& ledger, const FrameSum& frames);
// What a forwarder expired: counts as accepted and expired together.
void AddGap(Ledger& ledger, uint64_t items, const std::string& reason);
// Stored frames expired.
void AddExpired(Ledger& ledger, const FrameSum& frames, const std::string& reason);
// Stored frames are gone without a reason of ours.
void AddLost(Ledger& ledger, const FrameSum& frames);
// `frames`: the stored frames that the settlement covers. Call only when SettledItems(settlement)
// equals frames.items.
void AddSettled(Ledger& ledger, const FrameSum& frames, const Settlement& settlement);
// Delivered, rejected, expired, dropped, uncertain and set aside together.
uint64_t SettledItems(const Settlement& settlement);
// Set aside frames that end.
void AddAsideExpired(Ledger& ledger, AsideReason why_aside, uint64_t items,
                     const std::string& reason);

// Names in `Ledger::aside`.
std::string AsideName(AsideReason reason);

// Value of the `meta` family.
std::string EncodeLedger(const Ledger& ledger);
absl::StatusOr<Ledger> DecodeLedger(std::string_view bytes);

}  // namespace ampari
