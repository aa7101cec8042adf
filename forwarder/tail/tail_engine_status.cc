// What the engine shows of itself.
#include <algorithm>

#include "forwarder/tail/tail_engine.h"

namespace ampari {
namespace {

// A file that was at its end so long ago is behind.
constexpr absl::Duration kBehindAfter = absl::Seconds(10);
constexpr size_t kMaxFilesShown = 20'000;

uint64_t LagBytes(const TailedFile& file, const PositionBook& book) {
  if (file.finished) return 0;
  const BookedPosition* const booked = file.key ? book.Find(*file.key) : nullptr;
  const uint64_t at = booked == nullptr ? 0 : std::min(booked->at.out, booked->at.err);
  return file.last_size - std::min(file.last_size, at);
}

absl::Duration LagOf(const TailedFile& file, uint64_t lag_bytes, absl::Time wall) {
  const int64_t last_ns =
      file.reader.last_time_ns() != 0 ? file.reader.last_time_ns() : file.first_time_ns;
  if (lag_bytes == 0 || last_ns == 0) return absl::ZeroDuration();
  return std::max(wall - absl::FromUnixNanos(last_ns), absl::ZeroDuration());
}

LogFileStatus StatusOfFile(const TailedFile& file, const std::string& job, const PositionBook& book,
                           absl::Time wall) {
  LogFileStatus status;
  status.job_name = job;
  status.path = LogFileDisplayName(file.where.full());
  if (file.key) status.key = FileKeyHex(*file.key);
  status.size = file.last_size;
  const BookedPosition* const booked = file.key ? book.Find(*file.key) : nullptr;
  if (booked != nullptr) status.read = booked->at;
  status.lag_bytes = LagBytes(file, book);
  status.lag = LagOf(file, status.lag_bytes, wall);
  status.rotated_unread_bytes = file.unread_bytes;
  status.skipped_bytes = file.skipped_bytes;
  const LineCounts& counts = file.reader.counts();
  status.lines = counts.lines;
  status.filtered_lines = counts.filtered + counts.sampled;
  status.cut_lines = counts.cut;
  status.refused_lines = counts.refused;
  status.rotated = !file.written_now();
  status.gone = file.absent_since.has_value();
  status.error = file.error;
  return status;
}

void AddRefused(const std::vector<RefusedLog>& refused, LogTailStatus* status) {
  for (const RefusedLog& one : refused) {
    if (status->files.size() >= kMaxFilesShown) return;
    LogFileStatus& file = status->files.emplace_back();
    file.path = LogFileDisplayName(one.path);
    file.error = one.why;
  }
}

void AddTotals(const TailTotals& totals, const LineCounts& lines, LogTailStatus* status) {
  status->read_bytes_total = lines.read_bytes;
  status->lines_total = lines.lines;
  status->filtered_lines_total = lines.filtered;
  status->sampled_lines_total = lines.sampled;
  status->cut_lines_total = lines.cut;
  status->refused_lines_total = lines.refused;
  status->unparsed_lines_total = lines.unparsed;
  status->rotated_unread_bytes_total = totals.rotated_unread_bytes;
  status->skipped_bytes_total = totals.skipped_bytes;
  status->rereads_total = totals.rereads;
  status->truncations_total = totals.truncations;
  status->rotations_total = totals.rotations;
  status->compressed_files_total = totals.compressed_files;
  status->refused_files_total = totals.refused_files;
}

}  // namespace

LogTailStatus TailEngine::Status(bool with_files) const {
  LogTailStatus status;
  LineCounts lines = scope_.totals.lines;
  for (const auto& [path, follower] : followers_) {
    for (const auto& [name, sequence] : follower->sequences()) {
      const std::string& job = sequence.target->target.job->job_name;
      for (const auto& file : sequence.files->files()) {
        lines += file->reader.counts();
        const uint64_t lag = LagBytes(*file, scope_.book);
        status.lag_bytes += lag;
        status.files_waiting += file->key ? 0 : 1;
        status.files_behind += lag > 0 && scope_.now - file->end_at > kBehindAfter ? 1 : 0;
        if (!with_files || status.files.size() >= kMaxFilesShown) continue;
        status.files.push_back(StatusOfFile(*file, job, scope_.book, scope_.wall));
      }
    }
    if (with_files) AddRefused(follower->refused(), &status);
  }
  if (with_files) {
    AddRefused(refused_directories_, &status);
    AddRefused(refused_targets_, &status);
  }
  AddTotals(scope_.totals, lines, &status);
  PlanCounts plans = past_counts_;
  for (const auto& made : living_) {
    if (const auto target = made.lock()) plans.Add(*target->lines);
  }
  status.replaced_streams_total = plans.replaced_streams;
  status.unparsed_access_lines_total = plans.unparsed_access;
  status.files_open = scope_.open_files;
  status.blocked = blocked_;
  return status;
}

}  // namespace ampari
