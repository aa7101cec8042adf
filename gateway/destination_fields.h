// What remote_write and loki_write read alike.
#pragma once

#include <string>
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

}  // namespace ampari
