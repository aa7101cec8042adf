#include "bench/mesh/log_container.h"

#include <algorithm>

#include "common/runtime/clock.h"

namespace ampari::bench {
namespace {

constexpr char kContainer[] = "istio-proxy";
constexpr uint64_t kFlushBytes = uint64_t{64} << 10;  // Envoy's file access log
constexpr uint64_t kLineBytes = 350;                  // about
constexpr uint64_t kFlushLines = kFlushBytes / kLineBytes;

}  // namespace

LogContainer::LogContainer(const LogMeshOptions& options, const Pod& pod, uint32_t number,
                           WrittenLog& written)
    : options_(options),
      pod_(pod),
      container_(number),
      written_(written),
      lines_(pod, options.mix, options.seed),
      records_(options.runtime, options.seed + number),
      log_(options.directory, pod, kContainer,
           options.runtime == LogRuntime::kCrio ? NewFile::kRenamed : NewFile::kInPlace) {}

absl::Status LogContainer::Open(absl::Duration now) {
  begin_ = last_flush_ = now;
  written_.AddContainer(container_, pod_, kContainer);
  return log_.Open();
}

uint64_t LogContainer::Due(absl::Duration now) const {
  const double due = absl::ToDoubleSeconds(now - begin_) * options_.lines_per_second;
  const uint64_t written = number_ - cut_;
  return due > static_cast<double>(written) ? static_cast<uint64_t>(due) - written : 0;
}

bool LogContainer::FlushDue(absl::Duration now) const {
  const uint64_t due = Due(now);
  return due >= kFlushLines || (due > 0 && now - last_flush_ >= options_.flush_every);
}

absl::StatusOr<uint64_t> LogContainer::Flush(absl::Duration now, uint64_t most) {
  const uint64_t due = std::min(Due(now), most);
  for (uint64_t left = due; left > 0;) {
    const uint64_t count = std::min(left, kFlushLines);
    if (absl::Status written = WriteLines(count); !written.ok()) return written;
    left -= count;
  }
  if (due > 0) last_flush_ = now;
  return due;
}

// One write of Envoy to each output at most between two lines of the other.
absl::Status LogContainer::WriteLines(uint64_t count) {
  const int64_t now_ns = absl::ToUnixNanos(SystemClock().Now());
  const LineRange range{number_ + 1, number_ + count};
  std::string file;
  std::vector<std::string> burst;
  std::vector<int64_t> times;
  bool is_stderr = false;
  const auto append = [&] {
    times.clear();
    if (!burst.empty()) records_.Append(is_stderr, burst, now_ns, &file, &times);
    for (size_t i = 0; i < burst.size(); ++i) {
      const uint64_t number = number_ - burst.size() + 1 + i;
      written_.AddLine(container_, {is_stderr, false, times[i], number, LineHash(burst[i])});
    }
    burst.clear();
  };
  for (uint64_t i = 0; i < count; ++i) {
    ProxyLine line = lines_.Next(number_ + 1, now_ns);
    if (line.is_stderr != is_stderr) append();
    is_stderr = line.is_stderr;
    burst.push_back(std::move(line.text));
    ++number_;
  }
  append();
  bytes_ += file.size();
  if (absl::Status written = log_.Write(file, range); !written.ok()) return written;
  return written_.Flush();
}

void LogContainer::NoteGone(const std::vector<LineRange>& ranges) {
  for (const LineRange& range : ranges) {
    written_.AddGone(container_, range);
    gone_ += range.last - range.first + 1;
  }
}

absl::StatusOr<bool> LogContainer::LookAtSize(absl::Duration now, uint64_t most) {
  if (log_.size() < options_.rotate_bytes) return false;
  std::vector<LineRange> gone;
  absl::Status done;
  if (options_.rotation == RotationMode::kCopyTruncate) {
    done = log_.CopyTruncate(options_.max_files, options_.compress, &gone);
  } else {
    done = log_.Rotate(options_.max_files, options_.compress, &gone);
    // The runtime has the renamed file open for some time yet.
    if (done.ok()) done = Flush(now, most).status();
    if (done.ok()) done = log_.Reopen();
  }
  NoteGone(gone);
  if (!done.ok()) return done;
  return true;
}

absl::Status LogContainer::Restart() {
  const int64_t now_ns = absl::ToUnixNanos(SystemClock().Now());
  ProxyLine line = lines_.Next(++number_, now_ns);
  ++cut_;
  line.text.resize(std::min<size_t>(line.text.size(), 80));
  std::string file;
  const int64_t time_ns = records_.AppendDangling(line.is_stderr, line.text, now_ns, &file);
  written_.AddLine(container_, {line.is_stderr, true, time_ns, number_, LineHash(line.text)});
  bytes_ += file.size();
  absl::Status done = log_.Write(file, {number_, number_});
  std::vector<LineRange> gone;
  if (done.ok()) done = log_.Restart(&gone);
  NoteGone(gone);
  return done.ok() ? written_.Flush() : done;
}

absl::Status LogContainer::Delete() {
  std::vector<LineRange> gone;
  const absl::Status done = log_.Delete(&gone);
  NoteGone(gone);
  return done;
}

}  // namespace ampari::bench
