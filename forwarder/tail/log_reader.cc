#include "forwarder/tail/log_reader.h"

#include <algorithm>
#include <cstring>

namespace ampari {
namespace {

// What a runtime writes in front of a line's text, and JSON's escapes of a Docker line, beyond the
// bound of lines.
constexpr size_t kFramingBytes = 4096;

}  // namespace

LogReader::LogReader(const LineLimits& limits, const LogPosition& from) : limits_(limits) {
  Resume(from);
}

void LogReader::Resume(const LogPosition& from) {
  joiner_.emplace(limits_, from);
  long_.reset();
  offset_ = std::min(from.out, from.err);
  seen_ = counted_ = offset_;
}

bool LogReader::Parse(std::string_view line, RuntimeLine* out) {
  if (ParseCriLine(line, out)) return true;
  return line.starts_with('{') && ParseDockerLine(line, out, &unescaped_);
}

void LogReader::TakeLine(std::string_view line, uint64_t begin, uint64_t end, LineOutlet& outlet) {
  RuntimeLine parsed;
  if (Parse(line, &parsed)) {
    last_time_ns_ = parsed.time_ns;
  } else {
    const int64_t time_ns = last_time_ns_ != 0 ? last_time_ns_ : modified_ns_;
    parsed = RuntimeLine{LogOutput::kStdout, time_ns, false, line};
    ++counts_.unparsed;
  }
  if (const auto joined = joiner_->Take(parsed, begin, end)) outlet.Take(*joined, &counts_);
  joiner_->Release();
  if (unescaped_.capacity() > kKeptLineBytes) std::string().swap(unescaped_);
}

// How much of the chunk became lines.
size_t LogReader::TakeLines(std::string_view chunk, LineOutlet& outlet) {
  size_t taken = 0;
  while (taken < chunk.size() && !outlet.full()) {
    const char* const begin = chunk.data() + taken;
    const void* const newline = std::memchr(begin, '\n', chunk.size() - taken);
    if (newline == nullptr) break;
    const size_t size = static_cast<size_t>(static_cast<const char*>(newline) - begin);
    TakeLine({begin, size}, offset_ + taken, offset_ + taken + size + 1, outlet);
    taken += size + 1;
  }
  return taken;
}

// Of a line that is longer than the buffer its beginning is kept.
size_t LogReader::TakeLong(std::string_view chunk, LineOutlet& outlet) {
  const size_t newline = chunk.find('\n');
  const std::string_view text = chunk.substr(0, newline);
  const size_t bound = limits_.max_line_bytes + kFramingBytes;
  long_->text.append(text.substr(0, bound - std::min(bound, long_->text.size())));
  if (newline == std::string_view::npos) return chunk.size();
  const LongLine whole = *std::move(long_);
  long_.reset();
  TakeLine(whole.text, whole.begin, offset_ + newline + 1, outlet);
  return newline + 1;
}

ReadEnd LogReader::Read(LogSource& source, std::span<char> buffer, LineOutlet& outlet,
                        size_t* budget) {
  modified_ns_ = source.stamp().modified_ns;
  while (true) {
    if (outlet.full()) return ReadEnd::kFull;
    bool at_end = false;
    const absl::StatusOr<size_t> n = source.ReadAt(offset_, buffer, &at_end);
    if (!n.ok()) {
      error_ = n.status();
      return ReadEnd::kFailed;
    }
    if (!source.HeadIsSame()) return ReadEnd::kRewritten;
    const std::string_view chunk(buffer.data(), *n);
    const uint64_t seen = offset_ + chunk.size();
    const size_t fresh = seen - std::min(seen, counted_);
    counts_.read_bytes += fresh;
    counted_ = std::max(counted_, seen);
    const bool was_long = long_.has_value();
    size_t taken = was_long ? TakeLong(chunk, outlet) : TakeLines(chunk, outlet);
    const bool full = outlet.full();
    if (taken == 0 && chunk.size() == buffer.size() && !full) {
      long_ = LongLine{offset_, std::string()};
      taken = TakeLong(chunk, outlet);
    }
    offset_ += taken;
    seen_ = full ? offset_ : seen;
    if (full && offset_ < seen) return ReadEnd::kFull;
    const bool more_in_chunk = was_long && !long_ && offset_ < seen;
    if (at_end && !more_in_chunk) {
      // The beginning of a line that was looked at before is no work: nothing has come.
      *budget -= std::min(*budget, fresh);
      return ReadEnd::kEnd;
    }
    // A call that inflated without reaching the offset was a turn's work.
    const size_t work = chunk.empty() ? *budget : chunk.size();
    *budget -= std::min(*budget, work);
    if (*budget == 0) return ReadEnd::kMore;
  }
}

void LogReader::Finish(LogSource* source, std::span<char> buffer, LineOutlet& outlet) {
  if (long_) {
    const LongLine whole = *std::move(long_);
    long_.reset();
    TakeLine(whole.text, whole.begin, offset_, outlet);
  } else if (source != nullptr) {
    bool at_end = false;
    // What was appended since may be more than the rest of a line.
    const size_t rest = std::min<uint64_t>(buffer.size(), seen_ - offset_);
    const absl::StatusOr<size_t> n = source->ReadAt(offset_, buffer.first(rest), &at_end);
    if (n.ok() && *n > 0) {
      TakeLine({buffer.data(), *n}, offset_, offset_ + *n, outlet);
      offset_ += *n;
      seen_ = offset_;
    }
  }
  FinishParts(outlet);
}

bool LogReader::parts_wait() const {
  return !long_ && (joiner_->waiting(LogOutput::kStdout) || joiner_->waiting(LogOutput::kStderr));
}

void LogReader::FinishParts(LineOutlet& outlet) {
  for (const LogOutput output : {LogOutput::kStdout, LogOutput::kStderr}) {
    if (const auto line = joiner_->Flush(output)) outlet.Take(*line, &counts_);
  }
  joiner_->Release();
  joiner_->PassOver(offset_);
}

}  // namespace ampari
