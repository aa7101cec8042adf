#include "gateway/status/credential_ends.h"

#include <optional>

#include "common/config/credential_end.h"

namespace ampari {
namespace {

void Add(std::vector<CredentialEnd>& ends, const std::string& credential,
         const DestinationId& destination, std::optional<absl::Time> end) {
  if (end)
    ends.push_back({credential, destination, absl::ToDoubleSeconds(*end - absl::UnixEpoch())});
}

void AddDestination(std::vector<CredentialEnd>& ends, const DestinationId& id,
                    const HttpClientOptions& http) {
  Add(ends, "token", id, TokenEnd(ReadCredential(http.credentials)));
  Add(ends, "password", id, TokenEnd(ReadCredential(http.password)));
  Add(ends, "client_certificate", id,
      CertificateEnd(ReadCredential({http.tls.cert, http.tls.cert_file})));
  Add(ends, "ca", id, AuthoritiesEnd(ReadCredential({http.tls.ca, http.tls.ca_file})));
}

}  // namespace

std::vector<CredentialEnd> CredentialEnds(const GatewayConfig& config) {
  std::vector<CredentialEnd> ends;
  Add(ends, "tls_certificate", {}, CertificateEnd(ReadCredential({"", config.grpc.cert_file})));
  for (const TenantConfig& tenant : config.tenants) {
    for (const RemoteWriteConfig& destination : tenant.remote_write) {
      AddDestination(ends, {tenant.id, Signal::kMetrics, destination.name}, destination.http);
    }
    for (const LokiWriteConfig& destination : tenant.loki_write) {
      AddDestination(ends, {tenant.id, Signal::kLogs, destination.name}, destination.http);
    }
  }
  return ends;
}

}  // namespace ampari
