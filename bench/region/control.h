// The control API's texts.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bench/region/tenant_store.h"
#include "common/http/server.h"

namespace ampari::bench {

// name=value joined by &; pairs without = are left out.
std::map<std::string, std::string> QueryValues(std::string_view query);

// The query's pairs and those of a body that is a flat JSON object of strings, numbers and
// booleans.
absl::StatusOr<std::map<std::string, std::string>> ControlValues(const ServerRequest& request);

// `family<TAB>type number<TAB>unit<TAB>help` a line, sorted.
std::string MetadataLines(const TenantStore& tenant);

}  // namespace ampari::bench
