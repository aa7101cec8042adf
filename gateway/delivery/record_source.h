// RecordSource: what delivery needs of the store for one destination; the store itself
// (store_source.h), or a test's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "gateway/store/settlement.h"

namespace ampari {

// Thread-safe; the meaning of each call is Store's. Callbacks may come from any thread.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  virtual std::array<LaneState, kLanes> Lanes() const = 0;
  virtual absl::StatusOr<std::vector<RecordPtr>> Read(uint64_t from, size_t max_bytes,
                                                      uint64_t* next) const = 0;
  virtual bool Claim(uint32_t lane, uint64_t from, uint64_t upto) = 0;
  virtual void Unclaim(uint32_t lane) = 0;
  // The source fills in the destination.
  virtual void Settle(Settlement settlement, std::function<void()> done) = 0;
  // `done`: from now on Lanes() tells the extent and the generation after any stop, until the
  // lane's cursor passes `upto`. `from`: the cursor once the settlements handed over so far are
  // durable; another one is a bug, and `done` never runs. Replaces an earlier extent.
  virtual void IntendRange(uint32_t lane, uint64_t from, uint64_t upto, uint64_t generation,
                           std::function<void()> done) = 0;
  virtual void SetWaker(std::function<void()> wake) = 0;
  virtual std::optional<int64_t> OldestAnnounced(uint32_t lane) const = 0;
  virtual bool AwaitingProducers() const = 0;
  virtual absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const = 0;
  // Milliseconds of the persisted clock, which origin stamps are of.
  virtual int64_t NowMs() const = 0;
};

}  // namespace ampari
