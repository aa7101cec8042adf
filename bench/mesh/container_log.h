// ContainerLog: the log files of one container as kubelet and a runtime keep them:
//   <root>/<namespace>_<pod>_<uid>/<container>/<restarts>.log, rotated ones <restarts>.log.<time>,
//   compressed ones .gz (kubernetes, pkg/kubelet/logs/container_log_manager.go).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bench/mesh/pod.h"
#include "common/runtime/unique_fd.h"

namespace ampari::bench {

// How a runtime makes the new file: under its name (containerd), or as <f>.tmp that is renamed
// (conmon, src/ctr_logging.c).
enum class NewFile : uint8_t { kInPlace, kRenamed };

// Consecutive numbers of lines.
struct LineRange {
  uint64_t first = 0, last = 0;
};

// Not thread-safe. What fails is told once; the files are then as they are.
class ContainerLog {
 public:
  ContainerLog(const std::string& root, const Pod& pod, const std::string& container,
               NewFile new_file);

  // Creates the directory and the file.
  absl::Status Open();
  // Appends whole records with these lines.
  absl::Status Write(std::string_view records, LineRange lines);

  // As kubelet: the oldest rotated files go until max_files - 2 remain, the others are compressed
  // if wanted, and the file is renamed. The runtime still writes to it, until Reopen(). What lines
  // went is added to *gone.
  absl::Status Rotate(int max_files, bool compress, std::vector<LineRange>* gone);
  // As the runtime at kubelet's word.
  absl::Status Reopen();
  // As logrotate: a copy, which counts as a rotated file, and the file emptied.
  absl::Status CopyTruncate(int max_files, bool compress, std::vector<LineRange>* gone);
  // The container starts again: the next file; the one before stays, older ones go.
  absl::Status Restart(std::vector<LineRange>* gone);
  // The pod's directory goes. Every line counts as gone.
  absl::Status Delete(std::vector<LineRange>* gone);

  uint64_t size() const { return size_; }  // of the file
  int restarts() const { return restarts_; }
  const std::string& directory() const { return directory_; }

 private:
  struct OldFile {
    std::string path;
    bool compressed = false;
    LineRange lines = {};
  };

  std::string Path() const;
  std::string NextRotatedPath();
  absl::Status MakeRoom(int max_files, bool compress, std::vector<LineRange>* gone);
  static absl::Status Remove(const OldFile& file, std::vector<LineRange>* gone);

  const std::string pod_directory_, directory_;
  const NewFile new_file_;
  UniqueFd fd_;
  int restarts_ = 0;
  uint64_t size_ = 0;
  LineRange lines_;               // of the file; last 0: none yet
  std::vector<OldFile> rotated_;  // of this life, the oldest first
  std::vector<OldFile> earlier_;  // of the lives before
  bool renamed_ = false;          // between Rotate() and Reopen()
  int64_t last_stamp_s_ = 0;
};

}  // namespace ampari::bench
