// Reads the `forwarders` list of the file or of a tenant, and checks all entries together.
#pragma once

#include <string>
#include <vector>

#include "common/config/mapping_reader.h"
#include "gateway/config.h"

namespace ampari {

// An entry with the line that it stands in, for messages about several of them.
struct PlacedEntry {
  ForwarderEntry entry;
  std::string where;
  int line = 0;
};

std::vector<PlacedEntry> ReadForwarderEntries(MappingReader& block, const std::string& tenant);
// Names and inline tokens identify one entry each.
void CheckEntries(const std::vector<PlacedEntry>& entries, ConfigFile& file);

}  // namespace ampari
