#include "gateway/delivery/metadata_book.h"

#include <utility>

namespace ampari {
namespace {

// Cuts at a character's beginning: protobuf strings are UTF-8.
void Truncate(std::string& text, size_t max_bytes) {
  if (text.size() <= max_bytes) return;
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xc0) == 0x80) --max_bytes;
  text.resize(max_bytes);
}

}  // namespace

void MetadataBook::Add(std::vector<FamilyMetadata> families) {
  for (FamilyMetadata& family : families) {
    if (family.family.empty() || family.family.size() > kMaxMetadataTextBytes) continue;
    Truncate(family.help, kMaxMetadataTextBytes);
    Truncate(family.unit, kMaxMetadataTextBytes);
    auto found = families_.find(family.family);
    if (found != families_.end()) {
      found->second = std::move(family);
    } else if (families_.size() < kMaxMetadataFamilies) {
      std::string name = family.family;
      families_.emplace(std::move(name), std::move(family));
    }
  }
}

std::vector<FamilyMetadata> MetadataBook::Next(const MetadataConfig& config, absl::Duration now) {
  std::vector<FamilyMetadata> request;
  if (!config.send || families_.empty() || (!in_round_ && now < next_round_)) return request;
  if (!in_round_) {
    in_round_ = true;
    sent_upto_.clear();
    next_round_ = now + config.send_interval;
  }
  auto it = families_.upper_bound(sent_upto_);
  for (; it != families_.end() && request.size() < config.max_samples_per_send; ++it)
    request.push_back(it->second);
  if (!request.empty()) sent_upto_ = request.back().family;
  in_round_ = it != families_.end() && !request.empty();
  return request;
}

}  // namespace ampari
