// Transfer::Prepare: a request's values as libcurl options.
#include <curl/curl.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/http/redirect.h"
#include "common/http/request_headers.h"
#include "common/http/transfer.h"

namespace ampari {
namespace {

constexpr long kReceiveBufferBytes = long{256} << 10;
constexpr long kSendBufferBytes = long{256} << 10;
constexpr long kDnsCacheSeconds = 30;
// A peer that vanished without a word is noticed within two minutes (the kernel asks nine times),
// also while an answer that may be silent for long is awaited.
constexpr long kKeepAliveIdleSeconds = 30;
constexpr long kKeepAliveIntervalSeconds = 10;

long MinTlsVersion(const std::string& version) {
  if (version == "TLS10") return CURL_SSLVERSION_TLSv1_0;
  if (version == "TLS11") return CURL_SSLVERSION_TLSv1_1;
  if (version == "TLS13") return CURL_SSLVERSION_TLSv1_3;
  return CURL_SSLVERSION_TLSv1_2;
}

long MaxTlsVersion(const std::string& version) {
  if (version == "TLS10") return CURL_SSLVERSION_MAX_TLSv1_0;
  if (version == "TLS11") return CURL_SSLVERSION_MAX_TLSv1_1;
  if (version == "TLS12") return CURL_SSLVERSION_MAX_TLSv1_2;
  return CURL_SSLVERSION_MAX_DEFAULT;
}

long Milliseconds(absl::Duration duration) {
  return std::max(long{1}, static_cast<long>(absl::ToInt64Milliseconds(duration)));
}

}  // namespace

absl::Status Transfer::Prepare(FileCache& files) {
  if (easy_ == nullptr) easy_ = curl_easy_init();
  curl_easy_reset(easy_);
  if (absl::StatusOr<UrlOrigin> origin = ParseOrigin(request_.url); !origin.ok()) {
    return origin.status();
  }
  absl::StatusOr<std::vector<std::string>> lines =
      RequestHeaderLines(request_, same_origin_, files);
  if (!lines.ok()) return lines.status();
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  for (const std::string& line : *lines) headers_ = curl_slist_append(headers_, line.c_str());
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  SetLimits();
  SetCallbacks();
  SetBody();
  if (request_.options != nullptr) {
    if (absl::Status tls = SetTls(files); !tls.ok()) return tls;
    if (absl::Status name = SetServerName(); !name.ok()) return name;
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return absl::OkStatus();
}

void Transfer::SetLimits() {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kSendBufferBytes);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  curl_easy_setopt(easy_, CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, Milliseconds(request_.timeout));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   Milliseconds(std::min(request_.connect_timeout, request_.timeout)));
  // An empty proxy keeps libcurl from looking into the environment.
  const bool proxied = request_.options != nullptr;
  curl_easy_setopt(easy_, CURLOPT_PROXY, proxied ? request_.options->proxy_url.c_str() : "");
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, proxied ? request_.options->no_proxy.c_str() : "");
  if (request_.accept_gzip) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
}

absl::Status Transfer::SetBlob(int option, const std::string& file, const Secret& inline_pem,
                               FileCache& files) {
  const absl::StatusOr<std::string> pem = [&]() -> absl::StatusOr<std::string> {
    if (file.empty()) return files.ReadSecret(inline_pem);
    const absl::StatusOr<std::string_view> content = files.Read(file);
    if (!content.ok()) return content.status();
    return std::string(*content);
  }();
  if (!pem.ok()) return pem.status();
  if (pem->empty()) return absl::OkStatus();
  curl_blob blob{const_cast<char*>(pem->data()), pem->size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy_, static_cast<CURLoption>(option), &blob);
  return absl::OkStatus();
}

absl::Status Transfer::SetTls(FileCache& files) {
  const TlsOptions& tls = request_.options->tls;
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION,
                   MinTlsVersion(tls.min_version) | MaxTlsVersion(tls.max_version));
  if (tls.insecure_skip_verify) {
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!tls.ca_file.empty() || !tls.ca.empty()) {
    curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
    absl::Status set = SetBlob(CURLOPT_CAINFO_BLOB, tls.ca_file, Secret{tls.ca, ""}, files);
    if (!set.ok()) return set;
  }
  if (!same_origin_) return absl::OkStatus();  // the client's certificate is a credential too
  absl::Status set = SetBlob(CURLOPT_SSLCERT_BLOB, tls.cert_file, Secret{tls.cert, ""}, files);
  if (!set.ok()) return set;
  return SetBlob(CURLOPT_SSLKEY_BLOB, tls.key_file, tls.key, files);
}

// libcurl takes the name for SNI and verification from the URL: the URL gets the server name, the
// connection goes to the URL's host, and the Host header stays what it was.
absl::Status Transfer::SetServerName() {
  const std::string& name = request_.options->tls.server_name;
  if (name.empty() || !same_origin_ || !absl::StartsWithIgnoreCase(request_.url, "https:")) {
    return absl::OkStatus();
  }
  const absl::StatusOr<UrlOrigin> origin = ParseOrigin(request_.url);
  if (!origin.ok()) return origin.status();
  const absl::StatusOr<std::string> url = ReplaceHost(request_.url, name);
  if (!url.ok()) return absl::InvalidArgumentError("tls_config.server_name is no host name");
  curl_slist_free_all(connect_to_);
  connect_to_ = curl_slist_append(
      nullptr, absl::StrCat(name, ":", origin->port, ":", origin->host, ":", origin->port).c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
  curl_easy_setopt(easy_, CURLOPT_URL, url->c_str());
  const std::string port = origin->port == 443 ? "" : absl::StrCat(":", origin->port);
  headers_ = curl_slist_append(headers_, absl::StrCat("Host: ", origin->host, port).c_str());
  return absl::OkStatus();
}

}  // namespace ampari
