// HttpClientOptions: Prometheus' http_config of one scrape job or one destination, as validated
// values.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ampari {

// A secret given inline or as a file that is re-read when it changes. Never printed: ToString() of
// configuration says <secret>.
struct Secret {
  std::string value;
  std::string file;
  bool empty() const { return value.empty() && file.empty(); }
};

struct TlsOptions {
  std::string ca_file, cert_file, key_file;  // paths; re-read when they change
  std::string ca, cert;                      // inline PEM
  Secret key;                                // inline PEM
  std::string server_name;
  bool insecure_skip_verify = false;
  std::string min_version, max_version;  // "", TLS10, TLS11, TLS12, TLS13
};

struct HttpHeader {
  std::string name;
  std::vector<std::string> values;
  std::vector<Secret> secrets;
};

struct HttpClientOptions {
  bool has_basic_auth = false;
  Secret username;
  Secret password;
  std::string authorization_type;  // empty: no authorization; default of the block: Bearer
  Secret credentials;
  TlsOptions tls;
  std::string proxy_url;
  std::string no_proxy;
  bool follow_redirects = true;
  std::vector<HttpHeader> headers;  // http_headers, or the headers map of remote_write
};

}  // namespace ampari
