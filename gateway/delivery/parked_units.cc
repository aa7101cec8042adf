#include "gateway/delivery/parked_units.h"

#include <algorithm>

namespace ampari {

bool ParkedUnits::Add(const std::string& unit) {
  if (tried_.contains(unit)) return false;
  if (tried_.size() >= kMaxParkedUnits) {
    tried_.erase(std::min_element(tried_.begin(), tried_.end(), [](const auto& a, const auto& b) {
      return a.second < b.second;
    }));
  }
  tried_.emplace(unit, -absl::InfiniteDuration());
  return true;
}

void ParkedUnits::Remove(std::string_view unit) {
  if (const auto found = tried_.find(unit); found != tried_.end()) tried_.erase(found);
}

bool ParkedUnits::MayTry(std::string_view unit, absl::Duration now) {
  const auto found = tried_.find(unit);
  if (found == tried_.end()) return true;
  if (now - found->second < kTryParkedEvery) return false;
  found->second = now;
  return true;
}

}  // namespace ampari
