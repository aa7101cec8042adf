// kubernetes_sd_configs of a job, field by field as Prometheus 3; role pod is what is built here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/mapping_reader.h"
#include "common/config/yaml_writer.h"
#include "forwarder/config.h"

namespace ampari {

// What is wrong is an error of the block's file; other roles and attach_metadata are unsupported by
// name.
std::vector<KubernetesDiscoveryConfig> ReadKubernetesDiscoveries(MappingReader& job);

// As the block reads it.
MappingWriter KubernetesDiscoveryBlock(const KubernetesDiscoveryConfig& config);

// The top level's kubernetes_node. With `needed`, warns when neither it nor NODE_NAME is set.
std::string ReadKubernetesNode(MappingReader& root, bool needed);

// Rough checks, so that mistakes show early; the API server knows the whole grammar.
bool IsFieldSelector(std::string_view text);  // a=b,c!=d, with \ before , = and itself
bool IsLabelSelector(std::string_view text);  // a=b,c in (d,e),!f

}  // namespace ampari
