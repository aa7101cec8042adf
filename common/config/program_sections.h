// Sections that both programs have, and sections that belong elsewhere.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/config/http_client_options.h"
#include "common/config/mapping_reader.h"

namespace ampari {

// http: {listen_address, token | token_file}
void ReadHttpSection(MappingReader& root, std::string* listen_address, Secret* token);
// log: {level: debug | info | warn | error}
void ReadLogSection(MappingReader& root, std::string* level);

// host:port; `key` names it in the error. False when it is wrong.
bool CheckAddress(MappingReader& block, std::string_view key, const std::string& address);

struct ForeignSection {
  const char* key;
  const char* owner;  // "Prometheus", "ampari-gateway"
};
// Each that is present is left out with one warning.
void WarnForeignSections(MappingReader& block, std::span<const ForeignSection> sections);

}  // namespace ampari
