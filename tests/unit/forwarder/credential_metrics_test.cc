#include "forwarder/credential_metrics.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

namespace ampari {
namespace {

std::string Jwt(int64_t end) {
  const std::string claims = absl::StrCat("{\"exp\":", end, "}");
  return absl::StrCat("e30.", absl::WebSafeBase64Escape(claims), ".c2ln\n");
}

// {credential: Unix seconds}.
std::map<std::string, double> Ends(const MetricsCollector& collector) {
  std::vector<MetricFamily> families;
  collector(families);
  std::map<std::string, double> ends;
  for (const MetricFamily& family : families) {
    EXPECT_EQ(family.name, "ampari_forwarder_credential_expiry_timestamp_seconds");
    for (const MetricSample& sample : family.samples) {
      ends[sample.labels.at(0).second] = sample.value;
    }
  }
  return ends;
}

TEST(CredentialMetrics, TheTokenIsReadAnew) {
  const TempDir dir;
  GatewayClientConfig gateway;
  gateway.token.file = dir.Write("token", Jwt(1'900'000'000));
  const MetricsCollector collector = CredentialMetrics(gateway);
  EXPECT_EQ(Ends(collector), (std::map<std::string, double>{{"gateway_token", 1'900'000'000}}));
  dir.Write("token", Jwt(1'900'003'600));
  EXPECT_EQ(Ends(collector), (std::map<std::string, double>{{"gateway_token", 1'900'003'600}}));
  dir.Write("token", "opaque");
  EXPECT_TRUE(Ends(collector).empty());
}

TEST(CredentialMetrics, AuthoritiesOfTheGateway) {
  const TestCertificates made;
  if (!made.ok()) GTEST_SKIP() << "openssl(1) is not there";
  GatewayClientConfig gateway;
  gateway.tls.ca_file = made.ca_file();
  EXPECT_GT(Ends(CredentialMetrics(gateway))["gateway_ca"], 0);
  gateway.tls = {};
  gateway.tls.ca = ReadFileOrEmpty(made.ca_file());
  EXPECT_GT(Ends(CredentialMetrics(gateway))["gateway_ca"], 0);
  EXPECT_TRUE(Ends(CredentialMetrics({})).empty());
}

}  // namespace
}  // namespace ampari
