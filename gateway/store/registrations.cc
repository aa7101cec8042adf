#include "gateway/store/registrations.h"

namespace ampari {

bool Registrations::Add(InstanceNumber instance, const RegistrationHeader& header) {
  Index& index = instances_[instance];
  Block block{.first_series = header.first_series,
              .series = header.series,
              .first_layout = header.first_layout,
              .layouts = header.layouts};
  if (!index.blocks.emplace(header.number, block).second) return false;
  if (block.series > 0) index.by_first_series[block.first_series] = header.number;
  if (block.layouts > 0) index.by_first_layout[block.first_layout] = header.number;
  return true;
}

bool Registrations::Knows(InstanceNumber instance, uint64_t block) const {
  auto index = instances_.find(instance);
  return index != instances_.end() && index->second.blocks.contains(block);
}

bool Registrations::Retire(InstanceNumber instance, uint64_t block, uint64_t queue_sequence) {
  auto index = instances_.find(instance);
  if (index == instances_.end()) return false;
  auto it = index->second.blocks.find(block);
  if (it == index->second.blocks.end()) return false;
  if (it->second.retired_at != kNotRetired) return false;
  it->second.retired_at = queue_sequence;
  ++index->second.retired;
  return true;
}

void Registrations::Erase(Index& index, uint64_t number, const Block& block) {
  auto series = index.by_first_series.find(block.first_series);
  if (series != index.by_first_series.end() && series->second == number) {
    index.by_first_series.erase(series);
  }
  auto layout = index.by_first_layout.find(block.first_layout);
  if (layout != index.by_first_layout.end() && layout->second == number) {
    index.by_first_layout.erase(layout);
  }
}

std::vector<uint64_t> Registrations::TakeRetired(InstanceNumber instance, uint64_t floor) {
  std::vector<uint64_t> taken;
  auto found = instances_.find(instance);
  if (found == instances_.end() || found->second.retired == 0) return taken;
  Index& index = found->second;
  for (auto it = index.blocks.begin(); it != index.blocks.end();) {
    if (it->second.retired_at == kNotRetired || it->second.retired_at > floor) {
      ++it;
      continue;
    }
    taken.push_back(it->first);
    Erase(index, it->first, it->second);
    --index.retired;
    it = index.blocks.erase(it);
  }
  return taken;
}

std::optional<uint64_t> Registrations::BlockOfLayout(InstanceNumber instance,
                                                     uint64_t layout) const {
  auto index = instances_.find(instance);
  if (index == instances_.end()) return std::nullopt;
  auto it = index->second.by_first_layout.upper_bound(layout);
  if (it == index->second.by_first_layout.begin()) return std::nullopt;
  uint64_t number = std::prev(it)->second;
  const Block& block = index->second.blocks.at(number);
  if (layout - block.first_layout >= block.layouts) return std::nullopt;
  return number;
}

std::optional<uint64_t> Registrations::BlockOfSeries(InstanceNumber instance,
                                                     uint64_t series) const {
  auto index = instances_.find(instance);
  if (index == instances_.end()) return std::nullopt;
  auto it = index->second.by_first_series.upper_bound(series);
  if (it == index->second.by_first_series.begin()) return std::nullopt;
  uint64_t number = std::prev(it)->second;
  const Block& block = index->second.blocks.at(number);
  if (series - block.first_series >= block.series) return std::nullopt;
  return number;
}

std::vector<InstanceNumber> Registrations::WithRetired() const {
  std::vector<InstanceNumber> numbers;
  for (const auto& [number, index] : instances_) {
    if (index.retired > 0) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace ampari
