// Registrations: the encoded blocks that the gateway must know for the frames of the ring and of
// all living layouts, and the retirements that it must hear of, both in stream order. Not
// thread-safe.
//
// Blocks are kept until they are retired and no frame in the ring may refer to them; they never
// expire with frames. A block that is larger than the gateway takes is kept in pieces. A retirement
// is kept until the gateway must have heard it: until something sent after it is acknowledged.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "forwarder/shipping/block_pieces.h"

namespace ampari {

class Registrations {
 public:
  struct Block {
    uint64_t number = 0;
    std::shared_ptr<const std::string> bytes;  // encoded
    uint64_t retired_after = kLiving;          // no frame above this sequence refers to it
  };
  struct Retirement {
    uint64_t order = 0;
    uint64_t after = 0;  // said after the frame of this sequence
    std::vector<uint64_t> blocks;
  };
  static constexpr uint64_t kLiving = UINT64_MAX;

  // Before the frame that refers to it is made.
  void Add(uint64_t number, std::string bytes);
  // What the gateway takes as one block; larger ones are kept in pieces from now on. A piece that
  // cannot be made smaller stays larger.
  void set_max_block_bytes(size_t max_bytes);
  // `after`: last sequence whose frame may refer to the blocks; never decreases. Unknown blocks are
  // passed over.
  void Retire(const std::vector<uint64_t>& blocks, uint64_t after);
  // Drops what no frame needs any more. `first_frame`: lowest sequence still held as a frame.
  void Forget(uint64_t first_frame, uint64_t acknowledged);
  // Sequences fell by `fall`: a new instance. It owes no retirement of what it never registered.
  void Renumber(uint64_t fall);

  // The block after `*order` in stream order that a frame above `sent` may need; null at the end.
  // `*order` moves on; 0 is before the first.
  const Block* Next(uint64_t sent, uint64_t* order) const;
  // The retirement after `*order` that is due once `sent` is sent; null if none is. `*order` moves
  // on.
  const Retirement* NextRetirement(uint64_t sent, uint64_t* order) const;

  size_t bytes() const { return bytes_; }  // of the encoded blocks
  size_t blocks() const { return blocks_.size(); }

 private:
  using Blocks = std::map<uint64_t, Block>;
  // Orders of what was added as one block: [order, order + kOrders), one for each piece.
  static constexpr uint64_t kOrders = uint64_t{1} << 32;

  Blocks::iterator EndOfGroup(uint64_t order) { return blocks_.lower_bound(order + kOrders); }
  void Drop(uint64_t order);
  void Split(uint64_t order);

  Blocks blocks_;                                      // by order of Add
  absl::flat_hash_map<uint64_t, uint64_t> orders_;     // of living ones, by number as added
  std::deque<std::pair<uint64_t, uint64_t>> retired_;  // (after, order of the group), ascending
  std::deque<Retirement> retirements_;
  size_t max_block_bytes_ = SIZE_MAX;
  uint64_t next_piece_ = kFirstPieceNumber;
  uint64_t next_order_ = kOrders;
  uint64_t next_retirement_ = 1;
  size_t bytes_ = 0;
};

}  // namespace ampari
