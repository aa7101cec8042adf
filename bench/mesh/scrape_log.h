// The exact record of what a mesh served: a log of JSON lines, one per answer, and the bodies in a
// file of their own.
//
// Log line:
// {"address":…,"pod":…,"step":n,"time_ms":…,"status":…,"fault":…,"samples":n,"bytes":n,"xxh":hex,
// "body_offset":n,"body_size":n}. time_ms is the wall clock at the request's arrival, xxh the
// XXH3-64 of the body as sent. Bodies: zstd frames, one after the other; an answer's is body_size
// bytes at body_offset (0 and 0: not kept).
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/mesh/fault.h"
#include "common/runtime/mutex.h"
#include "common/runtime/unique_fd.h"

namespace ampari::bench {

struct ServedScrape {
  std::string address;  // ip:port
  std::string pod;
  uint64_t step = 0;  // of this target, from 1
  int64_t time_ms = 0;
  int status = 200;
  Fault fault = Fault::kNone;
  size_t samples = 0;
  uint64_t bytes = 0;
  uint64_t xxh = 0;
  uint64_t body_offset = 0, body_size = 0;
};

// Thread-safe. Each record is one write, so a killed process leaves at most one cut line.
class ScrapeLog {
 public:
  // Empty paths: nothing is kept. Existing files are replaced.
  static absl::StatusOr<std::unique_ptr<ScrapeLog>> Create(const std::string& log_path,
                                                           const std::string& bodies_path);
  // Fills in bytes, xxh and where the body went.
  absl::Status Append(ServedScrape scrape, std::string_view body) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  ScrapeLog(UniqueFd log, UniqueFd bodies) : log_(std::move(log)), bodies_(std::move(bodies)) {}

  Mutex mu_;
  const UniqueFd log_, bodies_;
  uint64_t bodies_end_ ABSL_GUARDED_BY(mu_) = 0;
};

// Reads a log; a last line without its newline is left out. DataLoss names the line that cannot be
// understood.
absl::StatusOr<std::vector<ServedScrape>> ReadScrapeLog(const std::string& path);

// Reads bodies by offset; checks the hash.
class BodyFile {
 public:
  static absl::StatusOr<BodyFile> Open(const std::string& path);
  absl::StatusOr<std::string> Read(const ServedScrape& scrape) const;

 private:
  explicit BodyFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ampari::bench
