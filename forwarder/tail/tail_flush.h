// TailFlush: what was read since the last push, and the files that it was read from.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/position_book.h"
#include "forwarder/tail/tailed_file.h"

namespace ampari {

// Not thread-safe. The book must outlive it, the files while they are `touched`.
class TailFlush {
 public:
  // A frame may hold kMaxLogFilesPerFrame, and a refusal names all of them.
  static constexpr size_t kMaxFiles = 4096;
  static_assert(kMaxFiles < kMaxLogFilesPerFrame);

  explicit TailFlush(PositionBook* book) : book_(*book) {}

  FlushCollector& collector() { return collector_; }
  // `file` was read on, or has a position that the gateway does not know.
  void Touch(TailedFile* file, absl::Duration now);
  bool empty() const { return files_.empty(); }
  // It is to be pushed before a further file is touched.
  bool has_most_files() const { return files_.size() >= kMaxFiles; }
  // When the first of it was read; monotonic.
  absl::Duration since() const { return since_; }

  // Hands the flush over. False: it was of an older round, and everything is as if it had not been
  // read; the readers are where the book says. An empty one is not handed over.
  bool Push(const std::function<bool(LogFlush)>& push);
  // Forgets what was collected; the readers go back to the book's positions.
  void Drop();

 private:
  void AddParts();

  PositionBook& book_;
  FlushCollector collector_;
  std::vector<TailedFile*> files_;
  absl::Duration since_;
};

// A file's name for people: its path's end, in valid UTF-8 of at most kMaxLogFileNameBytes.
std::string LogFileDisplayName(std::string_view path);

}  // namespace ampari
