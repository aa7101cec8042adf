#include "gateway/status/credential_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/test_certificates.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Names(const GatewayConfig& config) {
  std::vector<std::string> names;
  for (const CredentialEnd& end : CredentialEnds(config)) {
    EXPECT_GT(end.unix_seconds, 0);
    names.push_back(
        absl::StrCat(end.destination.tenant, "/", end.destination.name, "/", end.credential));
  }
  return names;
}

RemoteWriteConfig Region(const std::string& name) {
  RemoteWriteConfig region;
  region.name = name;
  return region;
}

TEST(CredentialEnds, NothingEndsByDefault) {
  GatewayConfig config;
  config.tenants = {{"t", 0, {Region("a")}, {}}};
  config.tenants[0].remote_write[0].http.credentials.value = "opaque";
  EXPECT_THAT(Names(config), ElementsAre());
}

TEST(CredentialEnds, TokensOfDestinations) {
  GatewayConfig config;
  config.tenants = {{"t", 0, {Region("a"), Region("b")}, {}}};
  const std::string jwt = "e30.eyJleHAiOjE5MDAwMDAwMDB9.c2ln";  // {"exp":1900000000}
  config.tenants[0].remote_write[0].http.credentials.value = jwt;
  config.tenants[0].remote_write[1].http.password.value = jwt;
  EXPECT_THAT(Names(config), ElementsAre("t/a/token", "t/b/password"));
  EXPECT_EQ(CredentialEnds(config)[0].unix_seconds, 1'900'000'000);
}

TEST(CredentialEnds, Certificates) {
  const TestCertificates made;
  if (!made.ok()) GTEST_SKIP() << "openssl(1) is not there";
  GatewayConfig config;
  config.grpc.cert_file = made.server_cert_file();
  config.tenants = {{"t", 0, {Region("a")}, {}}};
  TlsOptions& tls = config.tenants[0].remote_write[0].http.tls;
  tls.cert_file = made.client_cert_file();
  tls.ca_file = made.ca_file();
  EXPECT_THAT(Names(config), ElementsAre("//tls_certificate", "t/a/client_certificate", "t/a/ca"));
}

}  // namespace
}  // namespace ampari
