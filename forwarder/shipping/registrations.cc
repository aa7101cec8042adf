#include "forwarder/shipping/registrations.h"

#include <algorithm>

namespace ampari {

void Registrations::Add(uint64_t number, std::string bytes) {
  const uint64_t order = next_order_;
  next_order_ += kOrders;
  bytes_ += bytes.size();
  orders_[number] = order;
  const bool large = bytes.size() > max_block_bytes_;
  blocks_[order] = {number, std::make_shared<const std::string>(std::move(bytes)), kLiving};
  if (large) Split(order);
}

void Registrations::set_max_block_bytes(size_t max_bytes) {
  if (max_bytes == max_block_bytes_) return;
  max_block_bytes_ = max_bytes;
  for (auto it = blocks_.begin(); it != blocks_.end();) {
    const uint64_t order = it->first / kOrders * kOrders;
    bool large = false;
    const auto end = EndOfGroup(order);
    for (; it != end; ++it) large = large || it->second.bytes->size() > max_bytes;
    if (large) Split(order);
  }
}

// Puts smaller pieces in the place of what is too large.
void Registrations::Split(uint64_t order) {
  std::vector<Block> pieces;
  const auto first = blocks_.find(order), end = EndOfGroup(order);
  for (auto it = first; it != end; ++it) {
    if (it->second.bytes->size() <= max_block_bytes_) {
      pieces.push_back(it->second);
      continue;
    }
    for (BlockPiece& piece : PiecesOf(*it->second.bytes, max_block_bytes_, &next_piece_)) {
      pieces.push_back({piece.number, std::make_shared<const std::string>(std::move(piece.bytes)),
                        it->second.retired_after});
    }
  }
  Drop(order);
  for (size_t i = 0; i < pieces.size(); ++i) {
    bytes_ += pieces[i].bytes->size();
    blocks_[order + i] = std::move(pieces[i]);
  }
}

void Registrations::Retire(const std::vector<uint64_t>& blocks, uint64_t after) {
  Retirement retirement{next_retirement_, after, {}};
  for (const uint64_t number : blocks) {
    const auto found = orders_.find(number);
    if (found == orders_.end()) continue;
    const uint64_t order = found->second;
    orders_.erase(found);
    retired_.emplace_back(after, order);
    // A gateway that took the whole block once knows it by its own number.
    retirement.blocks.push_back(number);
    for (auto it = blocks_.find(order); it != EndOfGroup(order); ++it) {
      it->second.retired_after = after;
      if (it->second.number != number) retirement.blocks.push_back(it->second.number);
    }
  }
  if (retirement.blocks.empty()) return;
  ++next_retirement_;
  retirements_.push_back(std::move(retirement));
}

void Registrations::Drop(uint64_t order) {
  const auto first = blocks_.find(order), end = EndOfGroup(order);
  for (auto it = first; it != end; ++it) bytes_ -= it->second.bytes->size();
  blocks_.erase(first, end);
}

void Registrations::Forget(uint64_t first_frame, uint64_t acknowledged) {
  while (!retired_.empty() && retired_.front().first < first_frame) {
    Drop(retired_.front().second);
    retired_.pop_front();
  }
  while (!retirements_.empty() && retirements_.front().after < acknowledged)
    retirements_.pop_front();
}

void Registrations::Renumber(uint64_t fall) {
  const auto lower = [fall](uint64_t sequence) { return sequence - std::min(fall, sequence); };
  for (auto& [after, order] : retired_) {
    after = lower(after);
    for (auto it = blocks_.find(order); it != EndOfGroup(order); ++it)
      it->second.retired_after = after;
  }
  std::erase_if(retirements_, [fall](const Retirement& r) { return r.after <= fall; });
  for (Retirement& retirement : retirements_) retirement.after = lower(retirement.after);
}

const Registrations::Block* Registrations::Next(uint64_t sent, uint64_t* order) const {
  for (auto it = blocks_.upper_bound(*order); it != blocks_.end(); ++it) {
    *order = it->first;
    if (it->second.retired_after > sent) return &it->second;
  }
  return nullptr;
}

const Registrations::Retirement* Registrations::NextRetirement(uint64_t sent,
                                                               uint64_t* order) const {
  if (retirements_.empty()) return nullptr;
  const uint64_t first = retirements_.front().order;
  const uint64_t next = std::max(*order + 1, first);
  if (next - first >= retirements_.size()) return nullptr;
  const Retirement& retirement = retirements_[next - first];
  if (retirement.after > sent) return nullptr;
  *order = next;
  return &retirement;
}

}  // namespace ampari
