// Verify: every answer of a mesh against everything that a receiver holds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/verify/target_check.h"

namespace ampari::bench {

// `targets` as from ReadTargets. Answers of targets that are not among them are not looked at.
absl::StatusOr<VerifyCounts> Verify(const VerifyOptions& options,
                                    const std::map<std::string, LabelMap>& targets,
                                    const std::vector<ServedScrape>& served, const BodyFile& bodies,
                                    const Delivered& delivered);

}  // namespace ampari::bench
