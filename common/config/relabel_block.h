// relabel_configs, metric_relabel_configs and write_relabel_configs. Their texts are taken as
// written: $1 is theirs.
#pragma once

#include <string_view>
#include <vector>

#include "common/config/mapping_reader.h"
#include "common/relabel/relabel.h"

namespace ampari {

// Every invalid rule is an error at its line.
std::vector<RelabelRule> ReadRelabelRules(MappingReader& block, std::string_view key);

}  // namespace ampari
