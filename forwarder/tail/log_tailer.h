// LogTailer: finds the files of its targets, follows them through rotations, and pushes what they
// say, one flush after the other, as far as the shipper has room.
//
// A file's identity (its key) is its pod directory, its container and the hash of its first line,
// of at most 1 KiB, uncompressed; a file that has neither a whole first line nor 1 KiB is not read
// yet. Device and inode are a hint. So a renamed, copied or compressed file is the file that it
// was. Facts of the layout and of rotation: kubernetes pkg/kubelet/logs, kuberuntime helpers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/log_frame.h"
#include "common/runtime/clock.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/link_roots.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

struct LogTailerOptions {
  const Clock* clock = nullptr;
  // The shipper's side. Called by the tailer's thread only.
  std::function<std::optional<LogDirections>()> take_directions;
  std::function<bool()> has_room;
  std::function<bool(LogFlush)> push;
  std::function<void(std::vector<std::string> keys)> retire;
  std::function<bool()> superseded;        // while true nothing is read
  size_t flush_bytes = size_t{512} << 10;  // of raw lines
  absl::Duration flush_interval = absl::Seconds(1);
  LinkRoots links;
};

// What is shown of one file. Counters are of this process's life.
struct LogFileStatus {
  std::string job_name;
  std::string path;                   // where it is now; the last one when it is gone
  std::string key;                    // 32 hexadecimal digits; empty: too short to be known yet
  uint64_t size = 0;                  // bytes, uncompressed as far as known
  LogPosition read;                   // of what was pushed
  uint64_t lag_bytes = 0;             // written and not pushed
  absl::Duration lag;                 // age of the oldest of them, as far as known
  uint64_t rotated_unread_bytes = 0;  // gone before they could be read
  uint64_t skipped_bytes = 0;         // before its start, by rule or setting
  uint64_t lines = 0, filtered_lines = 0, cut_lines = 0, refused_lines = 0;
  bool rotated = false, gone = false;
  std::string error;  // why it is not read, in words
};

struct LogTailStatus {
  std::vector<LogFileStatus> files;                              // only with `with_files`
  uint64_t files_open = 0, files_behind = 0, files_waiting = 0;  // waiting: no identity yet
  uint64_t read_bytes_total = 0, lines_total = 0, filtered_lines_total = 0, sampled_lines_total = 0,
           cut_lines_total = 0, refused_lines_total = 0, unparsed_lines_total = 0;
  uint64_t rotated_unread_bytes_total = 0, skipped_bytes_total = 0, rereads_total = 0,
           truncations_total = 0, rotations_total = 0, compressed_files_total = 0,
           refused_files_total = 0, replaced_streams_total = 0;
  uint64_t unparsed_access_lines_total = 0;  // LinePlan::unparsed()
  uint64_t lag_bytes = 0;
  bool blocked = false;  // the shipper has no room
};

// Thread-safe. Owns one thread. What the options call must outlive it.
class LogTailer {
 public:
  explicit LogTailer(LogTailerOptions options);
  ~LogTailer();  // Stop()
  LogTailer(const LogTailer&) = delete;
  LogTailer& operator=(const LogTailer&) = delete;

  void Start();
  void Apply(LogTargetSet targets);
  // There are directions, or room, or something was acknowledged: LogShipper's `wake`. Cheap.
  void Wake();
  // Reads and pushes what is there, as far as there is room, and ends: a drain before the
  // shipper's.
  void Stop();
  LogTailStatus status(bool with_files) const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
