// What container runtimes make of a container's writes in its log file: containerd
// (internal/cri/io/logger.go), CRI-O (conmon, src/ctr_logging.c) and Docker (json-file). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/mesh/random_stream.h"

namespace ampari::bench {

enum class LogRuntime : uint8_t { kContainerd, kCrio, kDocker };

// By name: containerd, crio, docker.
absl::StatusOr<LogRuntime> ParseLogRuntime(std::string_view name);

inline constexpr size_t kPartBytes = size_t{16} << 10;  // containerd and Docker cut longer lines
inline constexpr size_t kReadBytes = size_t{8} << 10;   // conmon reads so much at once

// Turns writes into records. Times never go back; some lines share one, as in a burst.
class RuntimeRecords {
 public:
  RuntimeRecords(LogRuntime runtime, uint64_t seed) : runtime_(runtime), random_(seed) {}

  // One write of whole lines to one of the two outputs. Appends their records to *file and each
  // line's time, which is its last record's, to *times.
  //   containerd, docker: a time for each line; parts of 16 KiB.
  //   crio: a time for each read of 8 KiB; a line is parted where a read ends.
  void Append(bool is_stderr, std::span<const std::string> lines, int64_t now_ns, std::string* file,
              std::vector<int64_t>* times);
  // The beginning of a line whose end never comes; its time.
  int64_t AppendDangling(bool is_stderr, std::string_view text, int64_t now_ns, std::string* file);

 private:
  void AppendByLine(bool is_stderr, std::span<const std::string> lines, std::string* file,
                    std::vector<int64_t>* times);
  void AppendByRead(bool is_stderr, std::span<const std::string> lines, std::string* file,
                    std::vector<int64_t>* times);
  void Record(bool is_stderr, std::string_view text, bool last, std::string* file) const;
  void Advance();  // to the next line's or read's time

  const LogRuntime runtime_;
  RandomStream random_;
  int64_t time_ns_ = 0, now_ns_ = 0;
};

}  // namespace ampari::bench
