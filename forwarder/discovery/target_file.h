// The content of a file of file_sd_configs: a list of {targets: [host:port], labels: {name: value}}
// in YAML or JSON (which is YAML). Format: prometheus/docs configuration.md, file_sd_config.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forwarder/config.h"

namespace ampari {

// InvalidArgument names the line and what is wrong; an unknown key is wrong. An empty file has no
// groups. Pure.
absl::StatusOr<std::vector<TargetGroup>> ParseTargetFile(const std::string& text,
                                                         const std::string& file_name);

}  // namespace ampari
