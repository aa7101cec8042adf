// What remote_write and loki_write read alike.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/mapping_reader.h"
#include "gateway/config.h"

namespace ampari {

// A field that is refused by name unless it says what is done here anyway.
struct UnsupportedField {
  const char* key;
  const char* allowed;  // the value that means what is done here
  const char* why;
};

void RefuseUnsupported(MappingReader& block, const UnsupportedField& field);
void RequirePositive(MappingReader& block, const char* key, bool positive);

void ReadName(MappingReader& block, std::string* name);
// `section` and `example` are for people.
void ReadUrl(MappingReader& block, const char* section, const char* example, std::string* url);
// http_config and `headers`; `tenant_id` is sent as X-Scope-OrgID unless a header says otherwise,
// empty: none.
HttpClientOptions ReadTransport(MappingReader& block, const std::string& tenant_id);
// `start`; `items` is what a destination delivers.
bool ReadStartOldest(MappingReader& block, const char* items);
void WarnAboutTransport(MappingReader& block, const std::string& url,
                        const HttpClientOptions& http);

// Names are needed where there are several, and unique; an only one without a name gets
// `default_name`. `entry` of `entries`, whose earlier ones have `taken`.
void SettleName(MappingReader& entry, const char* section, size_t entries, const char* default_name,
                const std::vector<std::string>& taken, std::string* name);

// The entries of `section`, each by `read`, with their names settled. `Config` has a name.
template <typename Config>
std::vector<Config> ReadDestinations(MappingReader& block, const char* section,
                                     const char* default_name, const std::string& tenant_id,
                                     Config (*read)(MappingReader&, const std::string&)) {
  std::vector<Config> configs;
  std::vector<std::string> names;
  std::vector<MappingReader> entries = block.Children(section);
  for (MappingReader& entry : entries) {
    if (!entry.present()) continue;
    Config config = read(entry, tenant_id);
    SettleName(entry, section, entries.size(), default_name, names, &config.name);
    names.push_back(config.name);
    configs.push_back(std::move(config));
  }
  return configs;
}

}  // namespace ampari
