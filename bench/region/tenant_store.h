// TenantStore: every sample that one tenant sent, with what is wrong about its arrival.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "bench/region/behaviour.h"
#include "bench/region/frame_ranges.h"
#include "bench/region/write_request.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

struct StoredSample {
  int64_t timestamp_ms = 0;
  uint64_t value_bits = 0;
  uint32_t frame_range = FrameRanges::kNone;
};

// One series' samples in the order of time. `labels` is canonical (write_request.h).
struct StoredSeries {
  std::string labels;
  std::string metric;
  mutable Mutex mu;
  std::vector<StoredSample> samples ABSL_GUARDED_BY(mu);
};

struct TenantCounts {
  uint64_t samples = 0;       // stored
  uint64_t resends = 0;       // same sample, same frame (or no frame header)
  uint64_t doubles = 0;       // same sample from two frames without one in common
  uint64_t conflicts = 0;     // same timestamp, another value
  uint64_t out_of_order = 0;  // older than the series' newest and not known before
  uint64_t refused = 0;       // samples that a 400 refused, by the behaviour
  uint64_t series = 0;
  int64_t newest_ms = 0;
};

struct MetadataEntry {
  uint64_t type = 0;
  std::string help, unit;
};

// Thread-safe. Series are never removed, so pointers to them stay valid. `ranges` must outlive it.
class TenantStore {
 public:
  static constexpr size_t kMaxProblems = 100;      // examples kept
  static constexpr size_t kMaxMetadata = 100'000;  // families kept

  TenantStore(std::string name, const FrameRanges& ranges);

  // Stores one request, decompressed. InvalidArgument: it is malformed, nothing was stored.
  // Otherwise the reason of a refusal in the receiver's words, or empty when all was taken.
  absl::StatusOr<std::string> Store(std::string_view plain, uint32_t frame_range,
                                    const Behaviour& behaviour);
  // Decodes and counts without keeping anything, for benchmarks of senders.
  absl::Status CountOnly(std::string_view plain);

  const std::string& name() const { return name_; }
  TenantCounts counts() const;
  std::vector<std::string> problems() const ABSL_LOCKS_EXCLUDED(problems_mu_);
  std::map<std::string, MetadataEntry> metadata() const ABSL_LOCKS_EXCLUDED(metadata_mu_);
  // Sorted by labels.
  std::vector<const StoredSeries*> AllSeries() const ABSL_LOCKS_EXCLUDED(series_mu_);

 private:
  struct Piece {  // of a request: one series and its part of Batch::samples
    StoredSeries* series = nullptr;
    size_t begin = 0, end = 0;
  };
  struct Batch {
    std::vector<Piece> pieces;
    std::vector<SampleView> samples;
  };
  enum class Verdict : uint8_t { kNew, kResend, kDouble, kConflict, kOutOfOrder };
  struct Key {
    uint64_t low = 0, high = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.low; }
  };
  static constexpr size_t kShards = 16;
  struct Shard {
    Mutex mu;
    std::unordered_map<Key, StoredSeries*, KeyHash> by_bytes ABSL_GUARDED_BY(mu);
  };

  absl::Status ReadBatch(std::string_view plain, Batch* batch);
  absl::StatusOr<StoredSeries*> Find(std::string_view label_bytes);
  void KeepMetadata(const MetadataView& metadata) ABSL_LOCKS_EXCLUDED(metadata_mu_);
  Verdict Judge(const StoredSeries& series, const SampleView& sample, uint32_t frame_range) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(series.mu);
  std::string Refusal(const StoredSeries& series, const SampleView& sample, Verdict verdict,
                      const Behaviour& behaviour, int64_t newest_ms) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(series.mu);
  std::string FirstRefusal(const Batch& batch, uint32_t frame_range, const Behaviour& behaviour,
                           int64_t newest_ms) const;
  std::string Apply(const Batch& batch, uint32_t frame_range, const Behaviour& behaviour,
                    int64_t newest_ms);
  void Keep(StoredSeries& series, const SampleView& sample, Verdict verdict, uint32_t frame_range)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(series.mu);
  void NoteProblem(const char* what, const StoredSeries& series, const SampleView& sample,
                   uint32_t frame_range) ABSL_LOCKS_EXCLUDED(problems_mu_);

  const std::string name_;
  const FrameRanges& ranges_;
  std::array<Shard, kShards> shards_;
  mutable Mutex series_mu_;
  std::unordered_map<std::string, std::unique_ptr<StoredSeries>> series_
      ABSL_GUARDED_BY(series_mu_);
  mutable Mutex problems_mu_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(problems_mu_);
  mutable Mutex metadata_mu_;
  std::map<std::string, MetadataEntry> metadata_ ABSL_GUARDED_BY(metadata_mu_);
  std::atomic<uint64_t> samples_{0}, resends_{0}, doubles_{0}, conflicts_{0}, out_of_order_{0},
      refused_{0};
  std::atomic<int64_t> newest_ms_{INT64_MIN};
};

}  // namespace ampari::bench
