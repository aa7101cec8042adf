// The exact record of the lines that simulated containers wrote, for verification. Text, a record a
// line:
//   C <container> <namespace> <pod> <uid> <name>     a container, numbered from 1
//   L <container> <o|e> <time_ns> <number> <hash>    a line; XXH3-64 in hex of its text, as
//                                                    receivers of UTF-8 are told it
//   P <container> <o|e> <time_ns> <number> <hash>    the beginning of a line without an end
//   G <container> <first> <last>                     lines whose file is gone
// Numbers are of the container and ascend; times are those of the runtime.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/mesh/container_log.h"
#include "bench/mesh/pod.h"
#include "common/runtime/unique_fd.h"

namespace ampari::bench {

struct WrittenLine {
  bool is_stderr = false;
  bool dangling = false;  // its end was never written
  int64_t time_ns = 0;
  uint64_t number = 0;
  uint64_t hash = 0;
};

// XXH3-64 of the text as it arrives.
uint64_t LineHash(std::string_view text);

// Not thread-safe. A killed process leaves at most one cut record.
class WrittenLog {
 public:
  // An empty path: nothing is kept. An existing file is replaced.
  static absl::StatusOr<std::unique_ptr<WrittenLog>> Create(const std::string& path);

  void AddContainer(uint32_t container, const Pod& pod, const std::string& name);
  void AddLine(uint32_t container, const WrittenLine& line);
  void AddGone(uint32_t container, LineRange lines);
  // What was added goes to the file.
  absl::Status Flush();

 private:
  explicit WrittenLog(UniqueFd fd) : fd_(std::move(fd)) {}

  const UniqueFd fd_;
  std::string pending_;
};

struct WrittenContainer {
  std::string namespace_name, pod, uid, name;
  std::vector<WrittenLine> lines;  // in order
  std::vector<LineRange> gone;
};

// By number less one. A last record without its newline is left out. DataLoss names the record that
// cannot be understood.
absl::StatusOr<std::vector<WrittenContainer>> ReadWrittenLog(const std::string& path);

}  // namespace ampari::bench
