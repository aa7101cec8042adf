// MetadataTable: TYPE, HELP and UNIT of one target's families, told onwards only when new or
// changed. Comment lines are predicted like series: the known sequence of lines costs a hash each.
//
// Used by one thread at a time. Bounds: kMaxFamilies families, further ones are not remembered;
// HELP and UNIT are cut to kMaxMetadataTextBytes; a family goes 10 scrapes after it was last seen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "forwarder/scrape/exposition.h"
#include "forwarder/scrape/keyed_hash.h"

namespace ampari {

inline constexpr size_t kMaxFamilies = 10'000;
inline constexpr size_t kMaxMetadataTextBytes = 4096;
inline constexpr size_t kMaxPredictedComments = 40'000;
inline constexpr size_t kMaxMetadataBytesPerScrape = size_t{256} << 10;
inline constexpr size_t kMetadataOverheadBytes = 40;
inline constexpr uint32_t kMetadataKeptScrapes = 10;

class MetadataTable {
 public:
  void BeginScrape(uint32_t scrape, bool open_metrics);
  // When `rest` begins with the comment line that followed the last one before, takes it: its
  // length with newline, and the type in force. 0 otherwise.
  size_t TakePredicted(std::string_view rest, MetricType* type);
  // A lexed comment line, `line` with its newline.
  void Take(const LexedComment& comment, std::string_view line, MetricType* type);
  // What a good scrape tells: families new or changed since they were told last, as many as fit
  // `max_bytes` (their names and texts, with kMetadataOverheadBytes each); the others wait for the
  // next. Forgets families not seen for long.
  std::vector<FamilyMetadata> EndGoodScrape(size_t max_bytes);
  void Clear();
  size_t memory_bytes() const;

 private:
  struct Family {
    std::string help, unit;
    MetricType type = MetricType::kUnknown;
    uint32_t seen = 0;
    uint64_t told = 0;    // hash of what was told last, 0 never
    bool listed = false;  // in changed_
  };
  struct KnownLine {
    uint64_t hash = 0;
    uint32_t length = 0;  // newline included
    bool sets_type = false;
    MetricType type = MetricType::kUnknown;
    uint32_t* seen = nullptr;  // of its family
  };
  void Remember(const LexedComment& comment, std::string_view line, uint32_t* seen);
  void Forget();
  uint32_t* Update(const LexedComment& comment);

  absl::flat_hash_map<std::string, std::unique_ptr<Family>> families_;
  std::vector<std::string> changed_;  // names of families to compare with what was told
  std::vector<KnownLine> lines_;
  size_t next_line_ = 0;
  uint32_t scrape_ = 0;
  uint32_t swept_ = 0;
  bool open_metrics_ = false;
};

}  // namespace ampari
