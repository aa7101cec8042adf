#include "bench/mesh/runtime_records.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/http/json_writer.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

// Variable digits and Z, or nine digits and an offset.
std::string TimeText(LogRuntime runtime, int64_t time_ns) {
  const char* format =
      runtime == LogRuntime::kCrio ? "%Y-%m-%dT%H:%M:%E9S+00:00" : "%Y-%m-%dT%H:%M:%E*SZ";
  return absl::FormatTime(format, absl::FromUnixNanos(time_ns), absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<LogRuntime> ParseLogRuntime(std::string_view name) {
  if (name == "containerd") return LogRuntime::kContainerd;
  if (name == "crio") return LogRuntime::kCrio;
  if (name == "docker") return LogRuntime::kDocker;
  return absl::InvalidArgumentError(absl::StrCat("unknown runtime: ", ToAbsl(name)));
}

// At full speed the steps would run away from the clock.
void RuntimeRecords::Advance() {
  constexpr uint64_t kStepNs = 70'000;         // between lines of one write, at most
  constexpr int64_t kMaxAheadNs = 20'000'000;  // of the clock
  if (random_.Chance(0.2) || time_ns_ > now_ns_ + kMaxAheadNs) return;
  time_ns_ += static_cast<int64_t>(random_.Below(kStepNs));
}

void RuntimeRecords::Record(bool is_stderr, std::string_view text, bool last,
                            std::string* file) const {
  const char* output = is_stderr ? "stderr" : "stdout";
  if (runtime_ != LogRuntime::kDocker) {
    absl::StrAppend(file, TimeText(runtime_, time_ns_), " ", output, last ? " F " : " P ",
                    ToAbsl(text), "\n");
    return;
  }
  JsonWriter out;
  out.BeginObject()
      .Field("log", absl::StrCat(ToAbsl(text), last ? "\n" : ""))
      .Field("stream", output)
      .Field("time", TimeText(runtime_, time_ns_))
      .EndObject();
  absl::StrAppend(file, out.Take(), "\n");
}

void RuntimeRecords::AppendByLine(bool is_stderr, std::span<const std::string> lines,
                                  std::string* file, std::vector<int64_t>* times) {
  for (const std::string& line : lines) {
    Advance();
    std::string_view rest = line;
    for (; rest.size() > kPartBytes; rest.remove_prefix(kPartBytes)) {
      Record(is_stderr, rest.substr(0, kPartBytes), false, file);
    }
    Record(is_stderr, rest, true, file);
    times->push_back(time_ns_);
  }
}

void RuntimeRecords::AppendByRead(bool is_stderr, std::span<const std::string> lines,
                                  std::string* file, std::vector<int64_t>* times) {
  size_t left = kReadBytes;  // of the read
  const auto next_read = [&] {
    Advance();
    left = kReadBytes;
  };
  Advance();
  for (const std::string& line : lines) {
    std::string_view rest = line;
    if (left == 0) next_read();
    while (rest.size() >= left) {  // its newline is in a later read
      Record(is_stderr, rest.substr(0, left), false, file);
      rest.remove_prefix(left);
      next_read();
    }
    Record(is_stderr, rest, true, file);
    left -= rest.size() + 1;
    times->push_back(time_ns_);
  }
}

void RuntimeRecords::Append(bool is_stderr, std::span<const std::string> lines, int64_t now_ns,
                            std::string* file, std::vector<int64_t>* times) {
  now_ns_ = now_ns;
  time_ns_ = std::max(time_ns_, now_ns);
  if (runtime_ == LogRuntime::kCrio) {
    AppendByRead(is_stderr, lines, file, times);
  } else {
    AppendByLine(is_stderr, lines, file, times);
  }
}

int64_t RuntimeRecords::AppendDangling(bool is_stderr, std::string_view text, int64_t now_ns,
                                       std::string* file) {
  now_ns_ = now_ns;
  time_ns_ = std::max(time_ns_, now_ns);
  Advance();
  Record(is_stderr, text, false, file);
  return time_ns_;
}

}  // namespace ampari::bench
