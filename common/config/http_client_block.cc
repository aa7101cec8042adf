#include "common/config/http_client_block.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/http_header_name.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

void ReadBasicAuth(MappingReader& block, HttpClientOptions* options) {
  MappingReader auth = block.Child("basic_auth");
  if (!auth.present()) return;
  options->has_basic_auth = true;
  auth.SecretOf("username", &options->username);
  auth.SecretOf("password", &options->password);
  auth.Finish();
}

void ReadAuthorization(MappingReader& block, HttpClientOptions* options) {
  MappingReader auth = block.Child("authorization");
  if (!auth.present()) return;
  options->authorization_type = "Bearer";
  auth.Text("type", &options->authorization_type);
  auth.SecretOf("credentials", &options->credentials);
  auth.Finish();
  options->authorization_type =
      std::string(absl::StripAsciiWhitespace(options->authorization_type));
  if (options->authorization_type.empty()) options->authorization_type = "Bearer";
  if (absl::EqualsIgnoreCase(options->authorization_type, "basic")) {
    auth.Error("type", "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
  }
}

// bearer_token, which authorization replaced, means the same.
void ReadBearerToken(MappingReader& block, HttpClientOptions* options) {
  Secret token;
  block.SecretOf("bearer_token", &token);
  if (token.empty()) return;
  if (!options->authorization_type.empty()) {
    block.Error(
        "bearer_token",
        "authorization is not compatible with bearer_token and bearer_token_file; keep one");
  }
  options->authorization_type = "Bearer";
  options->credentials = token;
}

void ReadProxy(MappingReader& block, HttpClientOptions* options) {
  block.Text("proxy_url", &options->proxy_url);
  block.Text("no_proxy", &options->no_proxy);
  if (!options->proxy_url.empty()) CheckHttpUrl(block, "proxy_url", options->proxy_url);
  if (options->proxy_url.empty() && !options->no_proxy.empty()) {
    block.Error("no_proxy", "if no_proxy is set, proxy_url must be set as well");
  }
  bool from_environment = false;
  block.Bool("proxy_from_environment", &from_environment);
  if (from_environment)
    block.Unsupported("proxy_from_environment", "not supported; name the proxy in proxy_url");
  const YamlNode* connect = block.Take("proxy_connect_header");
  if (connect != nullptr && !connect->entries.empty()) {
    block.Unsupported("proxy_connect_header", "headers for the proxy are not supported");
  }
}

void CheckHeader(MappingReader& block, const std::string& name,
                 const std::vector<std::string>& values) {
  if (const std::string why = HeaderNameProblem(name); !why.empty()) block.Error(name, why);
  for (const std::string& value : values) {
    if (!IsHeaderValue(value))
      block.Error(name, "a header value must not hold line breaks or control characters");
  }
}

void ReadHttpHeaders(MappingReader& block, HttpClientOptions* options) {
  MappingReader headers = block.Child("http_headers");
  if (!headers.present()) return;
  for (const YamlEntry& entry : block.Take("http_headers")->entries) {
    MappingReader one = headers.Child(entry.key);
    HttpHeader header;
    header.name = entry.key;
    std::vector<std::string> secrets, files;
    one.Texts("values", &header.values);
    one.Texts("secrets", &secrets);
    one.Texts("files", &files);
    one.Finish();
    CheckHeader(headers, header.name, header.values);
    CheckHeader(headers, header.name, secrets);
    for (std::string& secret : secrets) header.secrets.push_back({std::move(secret), ""});
    for (const std::string& path : files) header.secrets.push_back({"", one.file().Resolve(path)});
    options->headers.push_back(std::move(header));
  }
}

void CheckTls(MappingReader& tls, const TlsOptions& options) {
  const auto both = [&](const char* inline_key, bool inline_given, const std::string& path) {
    if (inline_given && !path.empty()) {
      tls.Error(inline_key, absl::StrCat("at most one of ", inline_key, " and ", inline_key,
                                         "_file may be given"));
    }
  };
  both("ca", !options.ca.empty(), options.ca_file);
  both("cert", !options.cert.empty(), options.cert_file);
  both("key", !options.key.empty(), options.key_file);
  const bool cert = !options.cert.empty() || !options.cert_file.empty();
  const bool key = !options.key.empty() || !options.key_file.empty();
  if (cert != key) {
    tls.Error(cert ? "cert_file" : "key_file",
              "a client certificate and its key must be given together");
  }
  constexpr const char* kVersions[] = {"", "TLS10", "TLS11", "TLS12", "TLS13"};
  const auto rank = [&](const char* key_name, const std::string& version) {
    const auto* found = std::find(std::begin(kVersions), std::end(kVersions), version);
    if (found == std::end(kVersions)) {
      tls.Error(key_name,
                absl::StrCat(Quoted(version), " is not a TLS version; use TLS12 or TLS13"));
      return std::ptrdiff_t{0};
    }
    return found - std::begin(kVersions);
  };
  const auto lowest = rank("min_version", options.min_version);
  const auto highest = rank("max_version", options.max_version);
  if (highest > 0 && lowest > highest)
    tls.Error("max_version", "max_version must be greater than or equal to min_version");
}

}  // namespace

TlsOptions ReadTlsOptions(MappingReader& block, std::string_view key) {
  TlsOptions options;
  MappingReader tls = block.Child(key);
  tls.Path("ca_file", &options.ca_file);
  tls.Path("cert_file", &options.cert_file);
  tls.Path("key_file", &options.key_file);
  tls.Text("ca", &options.ca);
  tls.Text("cert", &options.cert);
  tls.Text("key", &options.key.value);
  tls.Text("server_name", &options.server_name);
  tls.Bool("insecure_skip_verify", &options.insecure_skip_verify);
  tls.Text("min_version", &options.min_version);
  tls.Text("max_version", &options.max_version);
  tls.Finish();
  CheckTls(tls, options);
  return options;
}

HttpClientOptions ReadHttpClientOptions(MappingReader& block) {
  HttpClientOptions options;
  ReadBasicAuth(block, &options);
  ReadAuthorization(block, &options);
  ReadBearerToken(block, &options);
  if (block.Has("oauth2"))
    block.Unsupported("oauth2", "not supported; use authorization or basic_auth");
  if (options.has_basic_auth && !options.authorization_type.empty()) {
    block.Error("basic_auth",
                "at most one of basic_auth, authorization and bearer_token may be given");
  }
  options.tls = ReadTlsOptions(block, "tls_config");
  ReadProxy(block, &options);
  block.Bool("follow_redirects", &options.follow_redirects);
  bool http2 = true;  // accepted: requests are HTTP/1.1 either way
  block.Bool("enable_http2", &http2);
  ReadHttpHeaders(block, &options);
  return options;
}

void ReadPlainHeaders(MappingReader& block, std::string_view key, HttpClientOptions* options) {
  MappingReader headers = block.Child(key);
  if (!headers.present()) return;
  for (const YamlEntry& entry : block.Take(key)->entries) {
    std::string value;
    headers.Text(entry.key, &value);
    CheckHeader(headers, entry.key, {value});
    options->headers.push_back({entry.key, {std::move(value)}, {}});
  }
}

void CheckHttpUrl(MappingReader& block, std::string_view key, const std::string& url) {
  const size_t scheme = url.find("://");
  const bool http =
      absl::StartsWithIgnoreCase(url, "http://") || absl::StartsWithIgnoreCase(url, "https://");
  const bool host =
      scheme != std::string::npos && scheme + 3 < url.size() && url[scheme + 3] != '/';
  const bool clean = std::none_of(url.begin(), url.end(),
                                  [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (!http || !host || !clean) {
    block.Error(key,
                absl::StrCat(Quoted(RedactedUrl(url)), " is not a URL such as https://host/path"));
  }
}

std::string RedactedUrl(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t at = url.substr(0, url.find_first_of("/?#", begin)).rfind('@');
  if (at == std::string::npos || at < begin) return url;
  return url.substr(0, begin) + "<secret>" + url.substr(at);
}

}  // namespace ampari
