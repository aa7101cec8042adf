// The fields of Prometheus' http_config, which scrape and remote-write configurations hold inline.
#pragma once

#include <string>
#include <string_view>

#include "common/config/http_client_options.h"
#include "common/config/mapping_reader.h"

namespace ampari {

// basic_auth, authorization (bearer_token as well), tls_config, proxy_url, no_proxy,
// follow_redirects, http_headers. oauth2, proxy_from_environment and proxy_connect_header are
// refused by name.
HttpClientOptions ReadHttpClientOptions(MappingReader& block);
TlsOptions ReadTlsOptions(MappingReader& block, std::string_view key);
// remote_write's `headers`: names to texts.
void ReadPlainHeaders(MappingReader& block, std::string_view key, HttpClientOptions* options);

// http or https with a host. Errors name the key.
void CheckHttpUrl(MappingReader& block, std::string_view key, const std::string& url);
// A URL without its user part, for printing.
std::string RedactedUrl(const std::string& url);

}  // namespace ampari
