// Registrations: which registration blocks are stored, by instance, so that the block of a layout
// or series is found without reading. Pure memory; the bytes lie in the `series` family in wire
// form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/frame/registration.h"
#include "gateway/store/record.h"

namespace ampari {

inline constexpr uint64_t kNotRetired = ~uint64_t{0};

class Registrations {
 public:
  // False when the block is already known.
  bool Add(InstanceNumber instance, const RegistrationHeader& header);
  bool Knows(InstanceNumber instance, uint64_t block) const;
  // No frame from `queue_sequence` on refers to the block. False when it is unknown.
  bool Retire(InstanceNumber instance, uint64_t block, uint64_t queue_sequence);
  // Takes out the blocks that were retired at or below `floor`, of the instance's queue.
  std::vector<uint64_t> TakeRetired(InstanceNumber instance, uint64_t floor);
  void Forget(InstanceNumber instance) { instances_.erase(instance); }

  std::optional<uint64_t> BlockOfLayout(InstanceNumber instance, uint64_t layout) const;
  std::optional<uint64_t> BlockOfSeries(InstanceNumber instance, uint64_t series) const;
  std::vector<InstanceNumber> WithRetired() const;

 private:
  struct Block {
    uint64_t first_series = 0, series = 0, first_layout = 0, layouts = 0;
    uint64_t retired_at = kNotRetired;
  };
  struct Index {
    std::map<uint64_t, Block> blocks;
    std::map<uint64_t, uint64_t> by_first_series, by_first_layout;  // to block numbers
    uint64_t retired = 0;
  };
  static void Erase(Index& index, uint64_t number, const Block& block);

  std::map<InstanceNumber, Index> instances_;
};

}  // namespace ampari
