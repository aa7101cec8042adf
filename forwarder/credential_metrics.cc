#include "forwarder/credential_metrics.h"

#include <optional>
#include <utility>

#include "common/config/credential_end.h"

namespace ampari {
namespace {

void AddEnd(MetricFamily& family, const char* credential, std::optional<absl::Time> end) {
  if (!end) return;
  family.samples.push_back(
      {{{"credential", credential}}, absl::ToDoubleSeconds(*end - absl::UnixEpoch()), {}});
}

}  // namespace

MetricsCollector CredentialMetrics(GatewayClientConfig gateway) {
  return [gateway = std::move(gateway)](std::vector<MetricFamily>& families) {
    MetricFamily family{"ampari_forwarder_credential_expiry_timestamp_seconds",
                        "When the gateway's authorities, and a token that says so, end.",
                        MetricKind::kGauge,
                        {}};
    AddEnd(family, "gateway_ca",
           AuthoritiesEnd(ReadCredential({gateway.tls.ca, gateway.tls.ca_file})));
    AddEnd(family, "gateway_token", TokenEnd(ReadCredential(gateway.token)));
    if (!family.samples.empty()) families.push_back(std::move(family));
  };
}

}  // namespace ampari
