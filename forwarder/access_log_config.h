// istio_access_log of one entry of log_configs: the formats of access lines, and which of their
// fields become labels or structured metadata.
#pragma once

#include <string>

#include "common/config/mapping_reader.h"
#include "common/config/yaml_writer.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

// An absent block leaves parsing off. What is wrong is an error of the block's file; it is
// finished.
AccessLogOptions ReadAccessLog(MappingReader block);
MappingWriter AccessLogBlock(const AccessLogOptions& options);

// The field that `written` names: Grafana's Istio mixin calls the method request_method. An error
// at `key` when no format can have it.
std::string ReadAccessField(MappingReader& block, std::string_view key, const std::string& written,
                            const AccessLogOptions& options);

}  // namespace ampari
