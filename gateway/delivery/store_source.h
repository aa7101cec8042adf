// StoreSource: the store as the RecordSource of one destination.
#pragma once

#include <utility>

#include "gateway/delivery/record_source.h"
#include "gateway/store/store.h"

namespace ampari {

// Thread-safe. `store` must outlive it.
class StoreSource final : public RecordSource {
 public:
  StoreSource(Store& store, DestinationId id) : store_(store), id_(std::move(id)) {}

  std::array<LaneState, kLanes> Lanes() const override { return store_.Lanes(id_); }
  absl::StatusOr<std::vector<RecordPtr>> Read(uint64_t from, size_t max_bytes,
                                              uint64_t* next) const override {
    return store_.Read(id_, from, max_bytes, next);
  }
  bool Claim(uint32_t lane, uint64_t from, uint64_t upto) override {
    return store_.Claim(id_, lane, from, upto);
  }
  void Unclaim(uint32_t lane) override { store_.Unclaim(id_, lane); }
  void Settle(Settlement settlement, std::function<void()> done) override {
    settlement.destination = id_;
    store_.Settle(std::move(settlement), std::move(done));
  }
  void IntendRange(uint32_t lane, uint64_t from, uint64_t upto, uint64_t generation,
                   std::function<void()> done) override {
    store_.IntendRange(id_, lane, from, upto, generation, std::move(done));
  }
  void SetWaker(std::function<void()> wake) override { store_.SetWaker(id_, std::move(wake)); }
  std::optional<int64_t> OldestAnnounced(uint32_t lane) const override {
    return store_.OldestAnnounced(id_, lane);
  }
  bool AwaitingProducers() const override { return store_.AwaitingProducers(); }
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const override {
    return store_.EnforcedLabels(instance);
  }
  int64_t NowMs() const override { return store_.NowMs(); }

 private:
  Store& store_;
  const DestinationId id_;
};

}  // namespace ampari
