// BodyPass: one body from bytes to samples. It predicts the next line from the order of the last
// good body, else looks the series up, else reads it in full; nothing of it counts until
// TargetMemory accepts it.
//
// Used by one thread at a time. Works on the target's SeriesTable: entries that it adds stand
// behind those that were there, and the caller truncates the table when the scrape fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "common/frame/scrape.h"
#include "common/labels/labels.h"
#include "forwarder/scrape/body_pass_rules.h"
#include "forwarder/scrape/exposition.h"
#include "forwarder/scrape/inherited_series.h"
#include "forwarder/scrape/label_composer.h"
#include "forwarder/scrape/line_cutter.h"
#include "forwarder/scrape/metadata_table.h"
#include "forwarder/scrape/sample_times.h"
#include "forwarder/scrape/series_lexer.h"
#include "forwarder/scrape/series_table.h"

namespace ampari {

class BodyPass {
 public:
  // Everything given must outlive the pass.
  struct Memory {
    SeriesTable& table;
    const std::vector<uint32_t>& last_order;
    LabelComposer& composer;
    MetadataTable& metadata;
    SampleTimes& times;
    InheritedSeries& inherited;
    const absl::flat_hash_set<uint64_t>&
        failed_texts;  // cached by Prometheus through scrapes that failed
  };
  explicit BodyPass(const Memory& memory) : memory_(memory) {}

  void Begin(const BodyPassRules& rules);
  absl::Status Feed(std::string_view piece);
  // The body is complete. Not OK when it ends where it must not, or a limit was exceeded.
  absl::Status End();
  // Gives back the memory that only a large pass needs.
  void Drop();

  const BodyCounts& counts() const { return counts_; }
  // Every sample line came where it was expected.
  bool same_order() const { return same_order_ && order.size() == memory_.last_order.size(); }

  // The result, for whoever accepts it. `values` has no elements for `absent` positions.
  std::vector<uint32_t> order;  // entries with skip bits
  std::vector<uint64_t> values;
  std::vector<uint32_t> absent;
  std::vector<PositionTimestamp> timestamps;
  std::vector<Labels> new_labels;  // of pending numbers, by their low bits
  std::vector<EntryId> fresh;      // entries of `order` that got their number in this pass
  std::vector<EntryId> toggled;    // entries whose kUntracked is to be flipped
  // Scrape in which a series that has several texts was last stored, by labels.
  absl::flat_hash_map<uint64_t, uint32_t> shared_seen;
  uint32_t positions() const { return positions_; }

 private:
  size_t Consume(std::string_view buffer);
  size_t TakeComment(std::string_view rest);
  size_t TakePredicted(std::string_view rest);
  size_t TakeSample(std::string_view rest);
  size_t LookUp(std::string_view rest, size_t length, const Hash128& text);
  size_t TakeUnknown(std::string_view rest, size_t looked_up);
  size_t TakeKnown(EntryId id, std::string_view rest);
  size_t TakeOther(std::string_view rest);
  Hash128 TextHash(std::string_view text) const;
  LexResult LexTail(std::string_view rest, LexedTail* tail, std::string* error) const;
  void Push(EntryId id, uint32_t skip);
  void Record(EntryId id, const LexedTail& tail, bool cached);
  void RecordStored(EntryId id, const LexedTail& tail, bool cached);
  bool IsCachedInOtherFormat(Hash128 text, size_t length) const;
  EntryId Register(const Hash128& text, size_t length, Labels labels);
  bool AtLimit();
  TimeFate Judge(const SeriesEntry& entry, const LexedTail& tail);
  void CountFate(TimeFate fate);
  size_t Fail(const std::string& message);         // InvalidArgument
  size_t FailAtLimit(const std::string& message);  // ResourceExhausted

  Memory memory_;
  BodyPassRules rules_;
  BodyCounts counts_;
  LineCutter cutter_;
  SeriesLexer lexer_;
  absl::Status status_;
  std::string limit_error_;
  size_t cursor_ = 0;  // in last_order: the line that is expected next
  uint64_t stored_ = 0;
  uint64_t cap_ = 0;  // of stored_
  uint32_t positions_ = 0;
  size_t new_label_bytes_ = 0;
  MetricType type_ = MetricType::kUnknown;
  bool same_order_ = true;
  bool began_ = false;
  bool both_formats_ = false;  // the target has answered in either
  bool ended_ = false;         // # EOF, or NUL in text
  bool any_bytes_ = false;
  bool expect_new_ = false;  // the last line was new: the next one is read in full at once
};

}  // namespace ampari
