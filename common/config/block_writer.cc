// The shared blocks of MappingWriter: what http_client_block and relabel_block read.
#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/config/http_client_block.h"
#include "common/config/yaml_writer.h"

namespace ampari {
namespace {

// Names that tell of a credential in a plain header.
bool IsSecretHeader(const std::string& name) {
  const std::string lower = absl::AsciiStrToLower(name);
  constexpr const char* kHints[] = {"auth", "cookie", "key", "password", "secret", "token"};
  return std::any_of(std::begin(kHints), std::end(kHints),
                     [&](const char* hint) { return absl::StrContains(lower, hint); });
}

MappingWriter HeaderBlock(const HttpHeader& header) {
  MappingWriter block;
  std::vector<std::string> secrets, files;
  for (const Secret& secret : header.secrets) {
    if (secret.file.empty()) {
      secrets.push_back("<secret>");
    } else {
      files.push_back(secret.file);
    }
  }
  std::vector<std::string> values = header.values;
  if (IsSecretHeader(header.name)) values.assign(values.size(), "<secret>");
  block.Texts("values", values).Texts("secrets", secrets).Texts("files", files);
  return block;
}

MappingWriter RuleBlock(const RelabelRule& rule) {
  MappingWriter block;
  block.RawTexts("source_labels", rule.source_labels);
  if (rule.has_separator) block.WrittenText("separator", rule.separator);
  if (rule.has_regex) block.WrittenText("regex", rule.regex);
  if (rule.modulus != 0) block.Number("modulus", rule.modulus);
  block.RawText("target_label", rule.target_label);
  if (rule.has_replacement) block.WrittenText("replacement", rule.replacement);
  block.RawText("action", RelabelActionName(rule.action));
  return block;
}

}  // namespace

MappingWriter& MappingWriter::HttpClient(const HttpClientOptions& options) {
  if (options.has_basic_auth) {
    MappingWriter auth;
    auth.Text("username", options.username.value).Text("username_file", options.username.file);
    auth.SecretOf("password", options.password);
    Child("basic_auth", std::move(auth));
  }
  if (!options.authorization_type.empty()) {
    MappingWriter auth;
    auth.Text("type", options.authorization_type).SecretOf("credentials", options.credentials);
    Child("authorization", std::move(auth));
  }
  Tls("tls_config", options.tls);
  Text("proxy_url", RedactedUrl(options.proxy_url)).Text("no_proxy", options.no_proxy);
  Bool("follow_redirects", options.follow_redirects);
  MappingWriter headers;
  for (const HttpHeader& header : options.headers) headers.Child(header.name, HeaderBlock(header));
  return Child("http_headers", std::move(headers));
}

MappingWriter& MappingWriter::Tls(std::string_view key, const TlsOptions& options) {
  MappingWriter tls;
  tls.Text("ca_file", options.ca_file)
      .Text("cert_file", options.cert_file)
      .Text("key_file", options.key_file);
  tls.Text("ca", options.ca).Text("cert", options.cert);
  if (!options.key.value.empty()) tls.RawText("key", "<secret>");
  tls.Text("server_name", options.server_name);
  if (options.insecure_skip_verify) tls.Bool("insecure_skip_verify", true);
  tls.Text("min_version", options.min_version).Text("max_version", options.max_version);
  return Child(key, std::move(tls));
}

MappingWriter& MappingWriter::RelabelRules(std::string_view key,
                                           const std::vector<RelabelRule>& rules) {
  std::vector<MappingWriter> blocks;
  for (const RelabelRule& rule : rules) blocks.push_back(RuleBlock(rule));
  return Children(key, std::move(blocks));
}

}  // namespace ampari
