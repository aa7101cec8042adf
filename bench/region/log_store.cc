#include "bench/region/log_store.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "bench/region/text_rules.h"

namespace ampari::bench {
namespace {

constexpr double kBurstSeconds = 1.5;      // of a tenant's rate: 6 MB of 4 MB/s
constexpr double kStreamBurstSeconds = 5;  // of a stream's: 15 MB of 3 MB/s
constexpr size_t kMaxExampleBytes = 400;   // of a line in a problem's text

std::string Canonical(const StreamLabels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += name;
    out += '=';
    AppendQuotedText(value, &out);
  }
  out += '}';
  return out;
}

void Refuse(int status, std::string why, const std::string& selector, RuleBreak* broken) {
  if (broken->status != 0) return;
  why.append(": ").append(selector);
  *broken = {status, std::move(why)};
}

}  // namespace

absl::StatusOr<RuleBreak> LogStore::Store(std::string_view plain, uint32_t frame_range,
                                          const LogRules& rules, int64_t now_ns) {
  thread_local LogBatch batch;
  if (absl::Status read = ReadLogRequest(plain, &batch); !read.ok()) return read;
  if (batch.streams.empty()) return RuleBreak{422, "a push without streams"};
  std::vector<StreamLabels> labels;
  for (const LogStreamView& stream : batch.streams) {
    absl::StatusOr<StreamLabels> parsed = ParseSelector(stream.selector);
    if (!parsed.ok()) return parsed.status();
    labels.push_back(*std::move(parsed));
  }
  size_t bytes = 0;
  for (const LogEntryView& entry : batch.entries) bytes += CountedBytes(batch, entry);
  MutexLock lock(mu_);
  ++request_;
  if (!rate_.Take(bytes, rules.rate_bytes, kBurstSeconds, now_ns))
    return RuleBreak{429, "rate limit of the tenant"};
  Refusals refusals;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (rules.forgetful) refusals.ingester = {};
    StoreStream(batch, batch.streams[i], labels[i], frame_range, rules, now_ns, &refusals);
  }
  return refusals.ingester.status != 0 ? refusals.ingester : refusals.distributor;
}

absl::Status LogStore::CountOnly(std::string_view plain) {
  thread_local LogBatch batch;
  if (absl::Status read = ReadLogRequest(plain, &batch); !read.ok()) return read;
  uint64_t bytes = 0;
  for (const LogEntryView& entry : batch.entries) bytes += entry.line.size();
  MutexLock lock(mu_);
  counts_.lines += batch.entries.size();
  counts_.bytes += bytes;
  counts_.unchecked += batch.entries.size();
  return absl::OkStatus();
}

// Null when the tenant has too many already.
StoredStream* LogStore::Find(const StreamLabels& labels, const LogRules& rules) {
  std::string selector = Canonical(labels);
  const auto known = streams_.find(selector);
  if (known != streams_.end()) return known->second.get();
  const auto most = static_cast<uint64_t>(rules.max_streams);
  if (most > 0 && streams_.size() >= most) return nullptr;
  auto stream = std::make_unique<StoredStream>();
  stream->labels = labels;
  stream->selector = selector;
  return (streams_[std::move(selector)] = std::move(stream)).get();
}

void LogStore::StoreStream(const LogBatch& batch, const LogStreamView& part,
                           const StreamLabels& labels, uint32_t frame_range, const LogRules& rules,
                           int64_t now_ns, Refusals* refusals) {
  const std::string refusal = StreamRefusal(labels, rules);
  StoredStream* stream = refusal.empty() ? Find(labels, rules) : nullptr;
  if (stream == nullptr) {
    counts_.refused += part.end - part.begin;
    const std::string selector = Canonical(labels);
    if (refusal.empty()) return Refuse(429, "too many streams", selector, &refusals->ingester);
    return Refuse(400, refusal, selector, &refusals->distributor);
  }
  for (size_t i = part.begin; i < part.end; ++i) {
    const LogEntryView& entry = batch.entries[i];
    std::string why = LineRefusal(batch, entry, now_ns, rules);
    const bool far_behind = why.empty() && IsFarBehind(entry, stream->newest_ns, rules);
    if (!why.empty()) {
      Refuse(400, std::move(why), stream->selector, &refusals->distributor);
    } else if (far_behind) {
      Refuse(400, "entry too far behind", stream->selector, &refusals->ingester);
    } else if (!stream->rate.Take(CountedBytes(batch, entry), rules.stream_rate_bytes,
                                  kStreamBurstSeconds, now_ns)) {
      Refuse(429, "per stream rate limit exceeded", stream->selector, &refusals->ingester);
    } else {
      StoreLine(batch, entry, frame_range, *stream);
      continue;
    }
    ++counts_.refused;
  }
}

void LogStore::StoreLine(const LogBatch& batch, const LogEntryView& entry, uint32_t frame_range,
                         StoredStream& stream) {
  if (!IsNew(entry, frame_range, stream)) return;
  if (entry.time_ns < stream.newest_ns) {
    ++counts_.out_of_order;
    NoteProblem("out of order", stream, entry, frame_range, FrameRanges::kNone);
  }
  stream.newest_ns = std::max(stream.newest_ns, entry.time_ns);
  counts_.newest_ns = std::max(counts_.newest_ns, entry.time_ns);
  ++counts_.lines;
  counts_.bytes += entry.line.size();
  const std::string_view code = ResponseCode(entry.line);
  const bool counted = stream.response_codes.count(code) > 0;
  if (!code.empty() && (counted || stream.response_codes.size() < kMaxResponseCodes)) {
    ++stream.response_codes[std::string(code)];
  }
  if (seen_.size() >= kMaxLines) return;
  Keep(batch, entry, stream);
}

bool LogStore::IsNew(const LogEntryView& entry, uint32_t frame_range, const StoredStream& stream) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(entry.bytes.data(), entry.bytes.size(),
                            XXH3_64bits(stream.selector.data(), stream.selector.size()));
  const Key key{hash.low64, hash.high64};
  const auto found = seen_.find(key);
  if (found == seen_.end()) {
    if (seen_.size() < kMaxLines) {
      seen_[key] = {frame_range, 1, 1, request_};
    } else {
      ++counts_.unchecked;
    }
    return true;
  }
  Seen& seen = found->second;
  seen.in_request = seen.request == request_ ? seen.in_request + 1 : 1;
  seen.request = request_;
  if (seen.in_request > seen.stored) {
    ++seen.stored;
    ++counts_.identical;
    return true;
  }
  if (ranges_.ShareAFrame(seen.frame_range, frame_range)) {
    ++counts_.resends;
    return false;
  }
  ++counts_.doubles;
  NoteProblem("double", stream, entry, frame_range, seen.frame_range);
  return false;
}

void LogStore::Keep(const LogBatch& batch, const LogEntryView& entry, StoredStream& stream) {
  stream.lines.push_back({entry.time_ns, XXH3_64bits(entry.line.data(), entry.line.size())});
  if (kept_bytes_ >= kMaxKeptBytes) return;
  kept_bytes_ += CountedBytes(batch, entry) + sizeof(KeptLine);
  KeptLine& kept = stream.kept.emplace_back();
  kept.text = std::string(entry.line);
  for (size_t i = entry.metadata_begin; i < entry.metadata_end; ++i) {
    kept.metadata.emplace_back(batch.metadata[i].name, batch.metadata[i].value);
  }
}

void LogStore::NoteProblem(const char* what, const StoredStream& stream, const LogEntryView& entry,
                           uint32_t frame_range, uint32_t other) {
  if (problems_.size() >= kMaxProblems) return;
  problems_.push_back(absl::StrFormat("%s: %s at %d, frames %s, before %s: %s", what,
                                      stream.selector, entry.time_ns, ranges_.Text(frame_range),
                                      ranges_.Text(other),
                                      std::string(entry.line.substr(0, kMaxExampleBytes))));
}

LogCounts LogStore::counts() const {
  MutexLock lock(mu_);
  LogCounts counts = counts_;
  counts.streams = streams_.size();
  for (const auto& [selector, stream] : streams_) {
    for (const auto& [code, lines] : stream->response_codes) counts.response_codes[code] += lines;
  }
  return counts;
}

std::vector<std::string> LogStore::problems() const {
  MutexLock lock(mu_);
  return problems_;
}

}  // namespace ampari::bench
