// TailTarget: a LogTarget made ready: its globs and the plan of its lines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forwarder/tail/line_plan.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/path_glob.h"

namespace ampari {

// Shared by what reads its files; used by the tailer's thread only.
struct TailTarget {
  LogTarget target;
  std::vector<PathGlob> globs;
  std::unique_ptr<LinePlan> lines;

  // InvalidArgument: the path is no glob, or a rule has no valid regex.
  static absl::StatusOr<std::shared_ptr<TailTarget>> Make(LogTarget target);
};

}  // namespace ampari
