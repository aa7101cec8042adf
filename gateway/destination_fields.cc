#include "gateway/destination_fields.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/http_client_block.h"
#include "common/labels/quote.h"
#include "gateway/destination_config.h"

namespace ampari {
namespace {

constexpr char kTenantHeader[] = "X-Scope-OrgID";
constexpr size_t kMaxDestinationName = 128;  // bytes

const HttpHeader* FindTenantHeader(const HttpClientOptions& http) {
  for (const HttpHeader& header : http.headers) {
    if (absl::EqualsIgnoreCase(header.name, kTenantHeader)) return &header;
  }
  return nullptr;
}

void ApplyTenantHeader(MappingReader& block, const std::string& tenant_id,
                       HttpClientOptions* http) {
  const HttpHeader* header = FindTenantHeader(*http);
  if (header == nullptr) {
    if (!tenant_id.empty()) http->headers.push_back({kTenantHeader, {tenant_id}, {}});
    return;
  }
  for (const std::string& value : header->values) {
    const std::string problem = TenantIdProblem(value);
    if (!problem.empty()) block.Error("headers", absl::StrCat(kTenantHeader, ": ", problem));
  }
}

void CheckHeaderNames(MappingReader& block, const HttpClientOptions& http) {
  for (size_t i = 0; i < http.headers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (absl::EqualsIgnoreCase(http.headers[i].name, http.headers[j].name)) {
        block.Error("headers",
                    absl::StrCat(Quoted(http.headers[i].name), " is given twice; keep one"));
      }
    }
  }
}

}  // namespace

void RefuseUnsupported(MappingReader& block, const UnsupportedField& field) {
  const YamlNode* value = block.Take(field.key);
  const bool allowed =
      value == nullptr || (value->kind == YamlNode::Kind::kScalar && value->text == field.allowed);
  if (!allowed) block.Unsupported(field.key, field.why);
}

void RequirePositive(MappingReader& block, const char* key, bool positive) {
  if (!positive) block.Error(key, "must be greater than 0");
}

void ReadName(MappingReader& block, std::string* name) {
  block.Text("name", name);
  if (name->size() > kMaxDestinationName) {
    block.Error("name", absl::StrCat("a name has at most ", kMaxDestinationName, " bytes"));
  }
}

void ReadUrl(MappingReader& block, const char* section, const char* example, std::string* url) {
  const bool has_url = block.Text("url", url);
  if (!block.Has("url") || (has_url && url->empty())) {
    block.Error("url", absl::StrCat("url for ", section, " is empty; add url: ", example));
  } else if (has_url) {
    CheckHttpUrl(block, "url", *url);
  }
}

HttpClientOptions ReadTransport(MappingReader& block, const std::string& tenant_id) {
  HttpClientOptions http = ReadHttpClientOptions(block);
  ReadPlainHeaders(block, "headers", &http);
  CheckHeaderNames(block, http);
  ApplyTenantHeader(block, tenant_id, &http);
  return http;
}

bool ReadStartOldest(MappingReader& block, const char* items) {
  std::string start = "end";
  block.Text("start", &start);
  if (start != "end" && start != "oldest") {
    block.Error("start", absl::StrCat("use end (new ", items,
                                      " only) or oldest (everything that is still stored)"));
  }
  return start == "oldest";
}

void WarnAboutTransport(MappingReader& block, const std::string& url,
                        const HttpClientOptions& http) {
  const bool credentials = http.has_basic_auth || !http.authorization_type.empty();
  if (credentials && absl::StartsWithIgnoreCase(url, "http://")) {
    block.Warning("url", "credentials travel in plaintext; use https");
  }
  if (http.tls.insecure_skip_verify) {
    block.Warning("tls_config", "insecure_skip_verify: the region's certificate is not checked");
  }
}

void SettleName(MappingReader& entry, const char* section, size_t entries, const char* default_name,
                const std::vector<std::string>& taken, std::string* name) {
  if (name->empty() && entries > 1) {
    entry.Error("name",
                "a name is needed where there are several destinations; it is their identity");
  } else if (name->empty()) {
    *name = default_name;
  }
  if (!name->empty() && std::find(taken.begin(), taken.end(), *name) != taken.end()) {
    entry.Error("name", absl::StrCat("found multiple ", section, " entries with name ",
                                     Quoted(*name), "; rename one"));
  }
}

}  // namespace ampari
