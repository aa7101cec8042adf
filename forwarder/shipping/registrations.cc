#include "forwarder/shipping/registrations.h"

#include <algorithm>

namespace ampari {

void Registrations::Add(uint64_t number, std::string bytes) {
  bytes_ += bytes.size();
  orders_[number] = next_order_;
  blocks_[next_order_] = {number, std::make_shared<const std::string>(std::move(bytes)), kLiving};
  ++next_order_;
}

void Registrations::Retire(const std::vector<uint64_t>& blocks, uint64_t after) {
  Retirement retirement{next_retirement_, after, {}};
  for (const uint64_t number : blocks) {
    const auto found = orders_.find(number);
    if (found == orders_.end()) continue;
    blocks_[found->second].retired_after = after;
    retired_.emplace_back(after, found->second);
    orders_.erase(found);
    retirement.blocks.push_back(number);
  }
  if (retirement.blocks.empty()) return;
  ++next_retirement_;
  retirements_.push_back(std::move(retirement));
}

void Registrations::Drop(std::map<uint64_t, Block>::iterator block) {
  bytes_ -= block->second.bytes->size();
  blocks_.erase(block);
}

void Registrations::Forget(uint64_t first_frame, uint64_t acknowledged) {
  while (!retired_.empty() && retired_.front().first < first_frame) {
    Drop(blocks_.find(retired_.front().second));
    retired_.pop_front();
  }
  while (!retirements_.empty() && retirements_.front().after < acknowledged)
    retirements_.pop_front();
}

void Registrations::Renumber(uint64_t fall) {
  const auto lower = [fall](uint64_t sequence) { return sequence - std::min(fall, sequence); };
  for (auto& [after, order] : retired_) {
    after = lower(after);
    blocks_[order].retired_after = after;
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
