#include "gateway/delivery/redaction.h"

#include <strings.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"

namespace ampari {

std::string Redacted(std::string_view text, std::vector<std::string> secrets) {
  std::erase(secrets, "");
  std::sort(secrets.begin(), secrets.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto found = std::find_if(secrets.begin(), secrets.end(), [&](const std::string& secret) {
      return text.substr(at, secret.size()) == secret;
    });
    if (found == secrets.end()) {
      out.push_back(text[at++]);
    } else {
      out.append(kRedacted);
      at += found->size();
    }
  }
  return out;
}

DestinationSecrets::DestinationSecrets(const std::string& url, const HttpClientOptions& http)
    : has_basic_auth_(http.has_basic_auth) {
  Add(http.username);
  Add(http.password);
  Add(http.credentials);
  for (const HttpHeader& header : http.headers) {
    for (const Secret& secret : header.secrets) Add(secret);
    if (strcasecmp(header.name.c_str(), "X-Scope-OrgID") == 0) continue;
    fixed_.insert(fixed_.end(), header.values.begin(), header.values.end());
  }
  AddUrl(url);
  AddUrl(http.proxy_url);
}

void DestinationSecrets::Add(const Secret& secret) {
  sources_.push_back({std::make_unique<SecretSource>(secret), "", ""});
}

void DestinationSecrets::AddUrl(std::string_view url) {
  const size_t query = std::min(url.find_first_of("?#"), url.size());
  if (query < url.size()) fixed_.emplace_back(url.substr(query + 1));
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return;
  const std::string_view host = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  const size_t at = host.rfind('@');
  if (at == std::string_view::npos) return;
  const std::string_view user = host.substr(0, at);
  fixed_.emplace_back(user);
  fixed_.push_back(absl::Base64Escape({user.data(), user.size()}));
  if (const size_t colon = user.find(':'); colon != std::string_view::npos)
    fixed_.emplace_back(user.substr(colon + 1));
}

std::vector<std::string> DestinationSecrets::Current() {
  for (Source& source : sources_) {
    absl::StatusOr<std::string> text = source.source->Get();
    if (!text.ok() || *text == source.latest) continue;
    source.previous = std::exchange(source.latest, *std::move(text));
  }
  std::vector<std::string> secrets = fixed_;
  for (size_t i = 1; i < sources_.size(); ++i) {  // the user's name is none
    secrets.push_back(sources_[i].latest);
    secrets.push_back(sources_[i].previous);
  }
  if (has_basic_auth_) {
    for (const std::string& password : {sources_[1].latest, sources_[1].previous})
      secrets.push_back(absl::Base64Escape(sources_[0].latest + ":" + password));
  }
  return secrets;
}

}  // namespace ampari
