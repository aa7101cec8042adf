// TailedFile: one log of a container as it is followed, by whatever names it has. A plain value of
// its sequence (log_sequence.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/tail/file_key.h"
#include "forwarder/tail/log_reader.h"
#include "forwarder/tail/log_source.h"
#include "forwarder/tail/open_beneath.h"

namespace ampari {

// A log file as it stands in a directory.
struct ListedLog {
  std::string base;  // the name it is written under: 0.log
  RootedPath where;
  bool compressed = false;
  uint64_t rank = UINT64_MAX;  // LogName
  LogStamp stamp;
};

struct TailedFile {
  explicit TailedFile(const LineLimits& limits) : reader(limits, {}) {}

  // Identity. No key: it is too short yet.
  std::optional<FileKey> key;
  uint32_t generation = 0;

  // Order among the files of its container.
  uint32_t restart = 0;       // of the container
  int64_t first_time_ns = 0;  // of its first line; 0: none
  uint64_t rank = UINT64_MAX;
  uint64_t serial = 0;  // in which order they were met

  // Where it is, and how its names looked when they were met.
  std::string base;
  RootedPath where;
  std::vector<LogStamp> stamps;
  uint64_t look = 0;                           // in which it was met last
  uint64_t written_look = 0;                   // in which its own name was the one that is written
  bool writing = false;                        // that was the last look
  std::optional<absl::Duration> absent_since;  // monotonic; no name leads to it
  std::optional<absl::Duration> replaced_at;   // monotonic; a newer one is there
  size_t newer = 0;                            // files that the writer may have gone on to

  std::optional<LogStamp> lost_inode;  // was written anew, or cut, under this file's hands
  std::unique_ptr<LogSource> source;   // null: done, lost, or not opened yet
  LogReader reader;
  bool appeared_later = false;         // while its container was already followed
  bool started = false;                // its position is known
  bool finished = false;               // read to its end, and nothing will come
  bool cut = false;                    // its beginning was read as an earlier generation
  bool inflating = false;              // counted as such in the scope
  bool lost = false;                   // what is unread cannot be had any more
  bool touched = false;                // the flush holds something of it
  int64_t checked_ns = 0;              // when it was written last, as of the last look at its head
  uint64_t last_size = 0;              // the greatest that was seen
  uint64_t skipped_bytes = 0;          // before its start
  uint64_t unread_bytes = 0;           // gone before they could be read
  uint64_t counted_from = UINT64_MAX;  // what lies behind it is counted among them
  absl::Duration end_at;               // monotonic; when it was read to its end last
  std::optional<absl::Duration> failing_since;  // monotonic; reading it fails
  absl::Duration grown_at;  // monotonic; when it was seen to have been written to
  std::string error;

  // Back to `at`, if it is elsewhere; then it is to be read again. True if so.
  bool Rewind(const LogPosition& at);
  // Takes note of a size that was seen.
  void SeeSize(uint64_t size, absl::Duration now);
  bool written_now() const { return rank == UINT64_MAX; }
  // Up to here something was read of it.
  uint64_t read_upto() const {
    return std::max({reader.offset(), reader.position().out, reader.position().err});
  }
  bool Knows(const LogStamp& stamp) const;
  bool KnowsInode(const LogStamp& stamp) const;
  void Remember(const LogStamp& stamp);
};

// The order in which logs of one container are read.
bool ComesBefore(const TailedFile& a, const TailedFile& b);

}  // namespace ampari
