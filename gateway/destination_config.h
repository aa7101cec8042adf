// Reads the destinations: remote_write, field by field as Prometheus 3, and loki_write.
#pragma once

#include <string>
#include <vector>

#include "common/config/mapping_reader.h"
#include "gateway/config.h"

namespace ampari {

// The entries of `remote_write`, their names unique; an only one may be without a name.
// `tenant_id`: sent as X-Scope-OrgID unless a header says otherwise; empty: none.
std::vector<RemoteWriteConfig> ReadRemoteWrites(MappingReader& block, const std::string& tenant_id);

// The same of `loki_write`.
std::vector<LokiWriteConfig> ReadLokiWrites(MappingReader& block, const std::string& tenant_id);

// Why a text is no tenant id (1 to 150 bytes of letters, digits and !-_.*'(), not . or ..); empty
// when it is one.
std::string TenantIdProblem(const std::string& id);

}  // namespace ampari
