#include "bench/region/tenant_store.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ampari::bench {
namespace {

bool Before(const StoredSample& sample, int64_t timestamp_ms) {
  return sample.timestamp_ms < timestamp_ms;
}

void RaiseTo(std::atomic<int64_t>& value, int64_t at_least) {
  int64_t now = value.load(std::memory_order_relaxed);
  while (now < at_least && !value.compare_exchange_weak(now, at_least, std::memory_order_relaxed)) {
  }
}

int64_t Less(int64_t timestamp_ms, int64_t seconds) {
  return timestamp_ms == INT64_MIN ? timestamp_ms : timestamp_ms - seconds * 1000;
}

}  // namespace

TenantStore::TenantStore(std::string name, const FrameRanges& ranges)
    : name_(std::move(name)), ranges_(ranges) {}

absl::StatusOr<std::string> TenantStore::Store(std::string_view plain, uint32_t frame_range,
                                               const Behaviour& behaviour) {
  thread_local Batch batch;
  if (absl::Status read = ReadBatch(plain, &batch); !read.ok()) return read;
  const int64_t newest = newest_ms_.load(std::memory_order_relaxed);
  if (!behaviour.partial) {
    std::string refusal = FirstRefusal(batch, frame_range, behaviour, newest);
    if (!refusal.empty()) {
      refused_.fetch_add(batch.samples.size(), std::memory_order_relaxed);
      return refusal;
    }
  }
  return Apply(batch, frame_range, behaviour, newest);
}

absl::Status TenantStore::CountOnly(std::string_view plain) {
  WriteRequestReader reader(plain);
  uint64_t samples = 0;
  while (reader.Next()) samples += reader.has_series() ? reader.series().samples.size() : 0;
  samples_.fetch_add(samples, std::memory_order_relaxed);
  return reader.status();
}

// Everything is checked before anything is stored.
absl::Status TenantStore::ReadBatch(std::string_view plain, Batch* batch) {
  batch->pieces.clear();
  batch->samples.clear();
  WriteRequestReader reader(plain);
  while (reader.Next()) {
    if (!reader.has_series()) {
      KeepMetadata(reader.metadata());
      continue;
    }
    absl::StatusOr<StoredSeries*> series = Find(reader.series().label_bytes);
    if (!series.ok()) return series.status();
    const size_t begin = batch->samples.size();
    batch->samples.insert(batch->samples.end(), reader.series().samples.begin(),
                          reader.series().samples.end());
    batch->pieces.push_back({*series, begin, batch->samples.size()});
  }
  return reader.status();
}

absl::StatusOr<StoredSeries*> TenantStore::Find(std::string_view label_bytes) {
  const XXH128_hash_t hash = XXH3_128bits(label_bytes.data(), label_bytes.size());
  const Key key{hash.low64, hash.high64};
  Shard& shard = shards_[hash.high64 % kShards];
  {
    MutexLock lock(shard.mu);
    const auto known = shard.by_bytes.find(key);
    if (known != shard.by_bytes.end()) return known->second;
  }
  const absl::StatusOr<std::vector<LabelView>> labels = ReadLabels(label_bytes);
  if (!labels.ok()) return labels.status();
  std::string text = CanonicalLabels(*labels);
  StoredSeries* series = nullptr;
  {
    MutexLock lock(series_mu_);
    std::unique_ptr<StoredSeries>& entry = series_[text];
    if (entry == nullptr) {
      entry = std::make_unique<StoredSeries>();
      entry->labels = std::move(text);
      for (const LabelView& label : *labels) {
        if (label.name == "__name__") entry->metric = std::string(label.value);
      }
    }
    series = entry.get();
  }
  MutexLock lock(shard.mu);
  shard.by_bytes[key] = series;
  return series;
}

void TenantStore::KeepMetadata(const MetadataView& metadata) {
  MutexLock lock(metadata_mu_);
  std::string family(metadata.family);
  if (metadata_.size() >= kMaxMetadata && metadata_.count(family) == 0) return;
  metadata_[std::move(family)] = {metadata.type, std::string(metadata.help),
                                  std::string(metadata.unit)};
}

TenantStore::Verdict TenantStore::Judge(const StoredSeries& series, const SampleView& sample,
                                        uint32_t frame_range) const {
  if (series.samples.empty() || series.samples.back().timestamp_ms < sample.timestamp_ms) {
    return Verdict::kNew;
  }
  const auto at =
      std::lower_bound(series.samples.begin(), series.samples.end(), sample.timestamp_ms, &Before);
  if (at->timestamp_ms != sample.timestamp_ms) return Verdict::kOutOfOrder;
  if (at->value_bits != sample.value_bits) return Verdict::kConflict;
  return ranges_.ShareAFrame(at->frame_range, frame_range) ? Verdict::kResend : Verdict::kDouble;
}

// What a real receiver would say, or empty. Prometheus takes a repeated sample only while it is the
// series' newest.
std::string TenantStore::Refusal(const StoredSeries& series, const SampleView& sample,
                                 Verdict verdict, const Behaviour& behaviour,
                                 int64_t newest_ms) const {
  const char* why = nullptr;
  if (!behaviour.reject_metric.empty() && series.metric == behaviour.reject_metric) {
    why = "rejected metric";
  } else if (behaviour.too_old_window_s > 0 &&
             sample.timestamp_ms < Less(newest_ms, behaviour.too_old_window_s)) {
    why = "too old sample";
  } else if (behaviour.in_order_only && verdict == Verdict::kConflict) {
    why = "duplicate sample for timestamp";
  } else if (behaviour.in_order_only && verdict != Verdict::kNew &&
             sample.timestamp_ms < series.samples.back().timestamp_ms &&
             (behaviour.out_of_order_window_s == 0 ||
              sample.timestamp_ms < Less(newest_ms, behaviour.out_of_order_window_s))) {
    why = "out of order sample";
  }
  if (why == nullptr) return "";
  return absl::StrCat(why, ": ", series.labels, " at ", sample.timestamp_ms, "\n");
}

std::string TenantStore::FirstRefusal(const Batch& batch, uint32_t frame_range,
                                      const Behaviour& behaviour, int64_t newest_ms) const {
  for (const Piece& piece : batch.pieces) {
    MutexLock lock(piece.series->mu);
    for (size_t i = piece.begin; i < piece.end; ++i) {
      const SampleView& sample = batch.samples[i];
      const Verdict verdict = Judge(*piece.series, sample, frame_range);
      std::string refusal = Refusal(*piece.series, sample, verdict, behaviour, newest_ms);
      if (!refusal.empty()) return refusal;
    }
  }
  return "";
}

std::string TenantStore::Apply(const Batch& batch, uint32_t frame_range, const Behaviour& behaviour,
                               int64_t newest_ms) {
  std::string first_refusal;
  for (const Piece& piece : batch.pieces) {
    StoredSeries& series = *piece.series;
    MutexLock lock(series.mu);
    for (size_t i = piece.begin; i < piece.end; ++i) {
      const SampleView& sample = batch.samples[i];
      const Verdict verdict = Judge(series, sample, frame_range);
      std::string refusal = Refusal(series, sample, verdict, behaviour, newest_ms);
      if (refusal.empty()) {
        Keep(series, sample, verdict, frame_range);
        continue;
      }
      refused_.fetch_add(1, std::memory_order_relaxed);
      if (first_refusal.empty()) first_refusal = std::move(refusal);
    }
  }
  return first_refusal;
}

void TenantStore::Keep(StoredSeries& series, const SampleView& sample, Verdict verdict,
                       uint32_t frame_range) {
  const StoredSample stored{sample.timestamp_ms, sample.value_bits, frame_range};
  switch (verdict) {
    case Verdict::kNew:
      series.samples.push_back(stored);
      RaiseTo(newest_ms_, sample.timestamp_ms);
      break;
    case Verdict::kOutOfOrder:
      series.samples.insert(std::lower_bound(series.samples.begin(), series.samples.end(),
                                             sample.timestamp_ms, &Before),
                            stored);
      out_of_order_.fetch_add(1, std::memory_order_relaxed);
      NoteProblem("out of order", series, sample, frame_range);
      break;
    case Verdict::kResend:
      resends_.fetch_add(1, std::memory_order_relaxed);
      return;
    case Verdict::kDouble:
      doubles_.fetch_add(1, std::memory_order_relaxed);
      NoteProblem("double", series, sample, frame_range);
      return;
    case Verdict::kConflict:
      conflicts_.fetch_add(1, std::memory_order_relaxed);
      NoteProblem("conflict", series, sample, frame_range);
      return;
  }
  samples_.fetch_add(1, std::memory_order_relaxed);
}

void TenantStore::NoteProblem(const char* what, const StoredSeries& series,
                              const SampleView& sample, uint32_t frame_range) {
  MutexLock lock(problems_mu_);
  if (problems_.size() >= kMaxProblems) return;
  problems_.push_back(absl::StrFormat("%s: %s at %d, value bits %016x, frames %s", what,
                                      series.labels, sample.timestamp_ms, sample.value_bits,
                                      ranges_.Text(frame_range)));
}

TenantCounts TenantStore::counts() const {
  TenantCounts counts;
  counts.samples = samples_;
  counts.resends = resends_;
  counts.doubles = doubles_;
  counts.conflicts = conflicts_;
  counts.out_of_order = out_of_order_;
  counts.refused = refused_;
  counts.newest_ms = newest_ms_;
  MutexLock lock(series_mu_);
  counts.series = series_.size();
  return counts;
}

std::vector<std::string> TenantStore::problems() const {
  MutexLock lock(problems_mu_);
  return problems_;
}

std::map<std::string, MetadataEntry> TenantStore::metadata() const {
  MutexLock lock(metadata_mu_);
  return metadata_;
}

std::vector<const StoredSeries*> TenantStore::AllSeries() const {
  std::vector<const StoredSeries*> all;
  {
    MutexLock lock(series_mu_);
    all.reserve(series_.size());
    for (const auto& [labels, series] : series_) all.push_back(series.get());
  }
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return a->labels < b->labels; });
  return all;
}

}  // namespace ampari::bench
