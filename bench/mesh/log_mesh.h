// LogMesh: simulated istio-proxy containers that write log files as Envoy, a runtime and kubelet
// would, on one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/mesh/proxy_lines.h"
#include "bench/mesh/runtime_records.h"

namespace ampari::bench {

enum class RotationMode : uint8_t { kRename, kCopyTruncate };

struct LogMeshOptions {
  std::string directory;  // as /var/log/pods
  int pods = 10;
  uint64_t seed = 1;
  double lines_per_second = 10;  // of each container
  uint64_t max_lines = 0;        // of all containers, then the writing ends; 0: for ever
  LogRuntime runtime = LogRuntime::kContainerd;
  LineMix mix;
  absl::Duration flush_every = absl::Seconds(1);  // of Envoy, or at 64 KB
  // A file is rotated when it has `rotate_bytes` at a look every `rotate_check`.
  uint64_t rotate_bytes = uint64_t{10} << 20;
  absl::Duration rotate_check = absl::Seconds(10);
  RotationMode rotation = RotationMode::kRename;
  bool compress = true;
  int max_files = 5;
  // 0: never. Containers and pods take turns.
  absl::Duration restart_every = absl::ZeroDuration();  // one container; its last line is cut
  absl::Duration replace_every = absl::ZeroDuration();  // one pod; its files go `linger` later
  absl::Duration linger = absl::Seconds(5);
  std::string written_path;  // written_log.h; empty: not kept
  std::string targets_path;  // file discovery of the living pods, rewritten at every change
};

struct LogMeshCounts {
  uint64_t lines = 0, bytes = 0, rotations = 0, restarts = 0, pods = 0, gone = 0;
};

// Writes from construction to destruction. Thread-safe.
class LogMesh {
 public:
  static absl::StatusOr<std::unique_ptr<LogMesh>> Start(const LogMeshOptions& options);
  ~LogMesh();

  // Waits until the last line is written (max_lines), something failed, or Stop().
  absl::Status Wait();
  // Ends the writing; what was due is written first.
  void Stop();
  LogMeshCounts counts() const;

 private:
  class Core;
  explicit LogMesh(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari::bench
