// LogContainer: one simulated istio-proxy container: what it says, when, and its log files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/mesh/container_log.h"
#include "bench/mesh/log_mesh.h"
#include "bench/mesh/written_log.h"

namespace ampari::bench {

// Not thread-safe. `written` must outlive it; every line is recorded there after it was written.
class LogContainer {
 public:
  // `number`: of the container in `written`.
  LogContainer(const LogMeshOptions& options, const Pod& pod, uint32_t number, WrittenLog& written);

  absl::Status Open(absl::Duration now);
  // Whether Envoy would write now: 64 KB are due, or something is and `flush_every` has passed.
  bool FlushDue(absl::Duration now) const;
  // Writes what is due, at most `most` lines. How many it were.
  absl::StatusOr<uint64_t> Flush(absl::Duration now, uint64_t most);
  // Kubelet's look: rotates a file of `rotate_bytes`. `most` as of Flush(). True when it did.
  absl::StatusOr<bool> LookAtSize(absl::Duration now, uint64_t most);
  // The process ends amid a line and starts again.
  absl::Status Restart();
  absl::Status Delete();

  const Pod& pod() const { return pod_; }
  uint64_t lines() const { return number_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t gone() const { return gone_; }

 private:
  uint64_t Due(absl::Duration now) const;
  absl::Status WriteLines(uint64_t count);
  void NoteGone(const std::vector<LineRange>& ranges);

  const LogMeshOptions& options_;
  const Pod pod_;
  const uint32_t container_;
  WrittenLog& written_;
  ProxyLines lines_;
  RuntimeRecords records_;
  ContainerLog log_;
  absl::Duration begin_, last_flush_;
  uint64_t number_ = 0;  // of the last line
  uint64_t cut_ = 0;     // of them, those that ended amid
  uint64_t bytes_ = 0, gone_ = 0;
};

}  // namespace ampari::bench
