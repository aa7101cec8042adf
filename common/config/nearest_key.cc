#include <algorithm>
#include <numeric>

#include "common/config/mapping_reader.h"

namespace ampari {
namespace {

constexpr size_t kMaxComparedKey = 100;  // bytes; longer keys are not compared
constexpr size_t kMinPart = 4;  // bytes of a key that point to a longer one, as user to username

// Edits (insert, delete, replace one character) between two texts.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string NearestKey(std::string_view key, const std::vector<std::string>& valid) {
  if (key.size() > kMaxComparedKey) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(2, key.size() / 3) + 1;
  for (const std::string& candidate : valid) {
    const size_t distance = EditDistance(key, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  if (!best.empty() || key.size() < kMinPart) return best;
  const auto contains = std::find_if(
      valid.begin(), valid.end(),
      [key](const std::string& candidate) { return candidate.find(key) != std::string::npos; });
  return contains == valid.end() ? "" : *contains;
}

}  // namespace ampari
