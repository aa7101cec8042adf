// LogStore: every line that one tenant sent, with what is wrong about its arrival.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "bench/region/frame_ranges.h"
#include "bench/region/log_request.h"
#include "bench/region/log_rules.h"
#include "bench/region/push_rules.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

struct LogCounts {
  uint64_t lines = 0;  // stored
  uint64_t bytes = 0;  // of their texts
  // Same stream, time, line and metadata, from frame ranges with a frame in common (or no header).
  // A line that a sender holds in two frames of one range looks the same: to find those, compare
  // `lines` with what the sender says it delivered.
  uint64_t resends = 0;
  uint64_t doubles = 0;       // the same from two ranges without a frame in common
  uint64_t identical = 0;     // of `lines`: equal to one before in the same request
  uint64_t out_of_order = 0;  // of `lines`: older than the stream's newest
  uint64_t refused = 0;       // by a rule; the rest of their requests was stored
  uint64_t unchecked = 0;     // of `lines`: beyond kMaxLines, only counted
  uint64_t streams = 0;
  int64_t newest_ns = 0;
  std::map<std::string, uint64_t> response_codes;  // of `lines`, of access lines
};

struct StoredLine {
  int64_t time_ns = 0;
  uint64_t line_hash = 0;  // XXH3-64 of the text
};

struct KeptLine {
  std::string text;
  std::vector<std::pair<std::string, std::string>> metadata;
};

// In the order of arrival. The first kept.size() of `lines` have their texts.
struct StoredStream {
  StreamLabels labels;
  std::string selector;  // canonical: {a="x",b="y"}
  std::vector<StoredLine> lines;
  std::vector<KeptLine> kept;
  int64_t newest_ns = 0;
  RateBucket rate;
  std::map<std::string, uint64_t, std::less<>> response_codes;
};

// Thread-safe. Streams are never removed. `ranges` must outlive it.
class LogStore {
 public:
  static constexpr size_t kMaxLines = 8'000'000;         // about 100 bytes each
  static constexpr size_t kMaxKeptBytes = 256ull << 20;  // of texts
  static constexpr size_t kMaxProblems = 100;            // examples
  static constexpr size_t kMaxResponseCodes = 100;       // of a stream

  explicit LogStore(const FrameRanges& ranges) : ranges_(ranges) {}

  // Stores one request, decompressed. InvalidArgument: it is malformed, nothing was stored.
  // Otherwise the answer if it is no 204: what no rule forbids was stored, but of a whole refusal
  // (422, and 429 by rate). A forgetful region's answer may be none although lines were refused.
  absl::StatusOr<RuleBreak> Store(std::string_view plain, uint32_t frame_range,
                                  const LogRules& rules, int64_t now_ns) ABSL_LOCKS_EXCLUDED(mu_);
  // Decodes and counts without keeping anything, for benchmarks of senders.
  absl::Status CountOnly(std::string_view plain) ABSL_LOCKS_EXCLUDED(mu_);

  LogCounts counts() const ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<std::string> problems() const ABSL_LOCKS_EXCLUDED(mu_);
  // Calls `visit` for each stream, sorted by selector, under the store's lock.
  template <typename Visit>
  void ForEachStream(Visit visit) const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    for (const auto& [selector, stream] : streams_) visit(*stream);
  }

 private:
  struct Key {
    uint64_t low = 0, high = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.low; }
  };
  struct Seen {  // of one (stream, time, line, metadata)
    uint32_t frame_range = FrameRanges::kNone;
    uint32_t stored = 0;      // how many
    uint32_t in_request = 0;  // how many so far in `request`
    uint32_t request = 0;
  };

  // The first of each kind; those of the ingester's are of one stream (LogRules::forgetful).
  struct Refusals {
    RuleBreak distributor, ingester;
  };

  StoredStream* Find(const StreamLabels& labels, const LogRules& rules)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StoreStream(const LogBatch& batch, const LogStreamView& part, const StreamLabels& labels,
                   uint32_t frame_range, const LogRules& rules, int64_t now_ns, Refusals* refusals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StoreLine(const LogBatch& batch, const LogEntryView& entry, uint32_t frame_range,
                 StoredStream& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True when the line is to be stored.
  bool IsNew(const LogEntryView& entry, uint32_t frame_range, const StoredStream& stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Keep(const LogBatch& batch, const LogEntryView& entry, StoredStream& stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteProblem(const char* what, const StoredStream& stream, const LogEntryView& entry,
                   uint32_t frame_range, uint32_t other) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const FrameRanges& ranges_;
  mutable Mutex mu_;
  std::map<std::string, std::unique_ptr<StoredStream>> streams_ ABSL_GUARDED_BY(mu_);
  std::unordered_map<Key, Seen, KeyHash> seen_ ABSL_GUARDED_BY(mu_);
  LogCounts counts_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mu_);
  uint32_t request_ ABSL_GUARDED_BY(mu_) = 0;
  size_t kept_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  RateBucket rate_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari::bench
