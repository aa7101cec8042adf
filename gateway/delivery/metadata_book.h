// MetadataBook: TYPE, HELP and UNIT of the families seen since the start, sent in rounds. Best
// effort: never counted as samples, lost with the process. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/scrape.h"
#include "gateway/config.h"

namespace ampari {

inline constexpr size_t kMaxMetadataFamilies = 10'000;
inline constexpr size_t kMaxMetadataTextBytes = 1024;  // of a help text; the default of receivers

// Thread-compatible.
class MetadataBook {
 public:
  // Later text of a family replaces earlier.
  void Add(std::vector<FamilyMetadata> families);
  // The next request's families when a round is due or under way; empty when none is. Rounds begin
  // send_interval apart.
  std::vector<FamilyMetadata> Next(const MetadataConfig& config, absl::Duration now);
  absl::Duration NextRound() const { return next_round_; }
  bool empty() const { return families_.empty(); }

 private:
  std::map<std::string, FamilyMetadata> families_;
  bool in_round_ = false;
  std::string sent_upto_;
  absl::Duration next_round_ = -absl::InfiniteDuration();
};

}  // namespace ampari
