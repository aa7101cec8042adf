// TailTarget: a LogTarget made ready: its globs and the plan of its lines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forwarder/tail/line_plan.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/path_glob.h"

namespace ampari {

// What plans have counted (line_plan.h).
struct PlanCounts {
  uint64_t replaced_streams = 0;  // lines whose promoted labels were left out
  uint64_t unparsed_access = 0;   // access lines that no format fits

  void Add(const LinePlan& plan) {
    replaced_streams += plan.streams_refused();
    unparsed_access += plan.unparsed();
  }
};

// Shared by what reads its files; used by the tailer's thread only.
struct TailTarget {
  explicit TailTarget(PlanCounts* past_counts) : past(past_counts) {}
  ~TailTarget() {
    if (lines != nullptr) past->Add(*lines);
  }
  TailTarget(const TailTarget&) = delete;
  TailTarget& operator=(const TailTarget&) = delete;

  LogTarget target;
  std::vector<PathGlob> globs;
  std::unique_ptr<LinePlan> lines;
  PlanCounts* const past;  // what it has counted is added to it when it ends

  // InvalidArgument: the path is no glob, or a rule has no valid regex. `past` must outlive it.
  static absl::StatusOr<std::shared_ptr<TailTarget>> Make(LogTarget target, PlanCounts* past);
};

}  // namespace ampari
