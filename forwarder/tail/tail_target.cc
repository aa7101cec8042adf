#include "forwarder/tail/tail_target.h"

#include <utility>

namespace ampari {

absl::StatusOr<std::shared_ptr<TailTarget>> TailTarget::Make(LogTarget target, PlanCounts* past) {
  absl::StatusOr<std::vector<PathGlob>> globs = PathGlob::Parse(target.path);
  if (!globs.ok()) return globs.status();
  absl::StatusOr<std::unique_ptr<LinePlan>> lines = LinePlan::Make(target);
  if (!lines.ok()) return lines.status();
  auto made = std::make_shared<TailTarget>(past);
  made->target = std::move(target);
  made->globs = *std::move(globs);
  made->lines = *std::move(lines);
  return made;
}

}  // namespace ampari
