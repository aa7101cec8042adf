#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/loop.h"
#include "common/http/server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!certificates_.ok()) GTEST_SKIP() << "openssl(1) is not installed";
    ServerOptions options;
    options.cert_pem = ReadFileOrEmpty(certificates_.server_cert_file());
    options.key_pem = ReadFileOrEmpty(certificates_.server_key_file());
    auto server = HttpServer::Start(options, [](const ServerRequest& request) {
      ServerResponse answer;
      answer.body = std::string(request.Header("host"));
      return answer;
    });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  HttpResponse Fetch(const TlsOptions& tls, const std::string& host = "127.0.0.1") {
    auto options = std::make_shared<HttpClientOptions>();
    options->tls = tls;
    HttpRequest request;
    request.url = "https://" + host + ":" + std::to_string(server_->port()) + "/";
    request.options = options;
    return FetchOnce(std::move(request));
  }

  TestCertificates certificates_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsTest, TrustsAFileOrAnInlineAuthority) {
  TlsOptions file, text;
  file.ca_file = certificates_.ca_file();
  text.ca = ReadFileOrEmpty(certificates_.ca_file());
  EXPECT_THAT(Fetch(file).transport, IsOk());
  EXPECT_THAT(Fetch(text).transport, IsOk());
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefusedUnlessSkipped) {
  EXPECT_THAT(Fetch({}).transport, StatusIs(absl::StatusCode::kPermissionDenied));
  TlsOptions skip;
  skip.insecure_skip_verify = true;
  EXPECT_THAT(Fetch(skip).transport, IsOk());
}

TEST_F(TlsTest, ServerNameIsWhatIsVerified) {
  TlsOptions tls;
  tls.ca_file = certificates_.ca_file();
  tls.server_name = "region.test";
  const HttpResponse right = Fetch(tls);
  EXPECT_THAT(right.transport, IsOk());
  EXPECT_EQ(right.body, "127.0.0.1:" + std::to_string(server_->port()));
  tls.server_name = "other.test";
  EXPECT_THAT(Fetch(tls).transport, StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(TlsTest, VersionsAreBounded) {
  TlsOptions tls;
  tls.ca_file = certificates_.ca_file();
  tls.min_version = tls.max_version = "TLS12";
  EXPECT_THAT(Fetch(tls).transport, IsOk());
  tls.min_version = tls.max_version = "TLS13";
  EXPECT_THAT(Fetch(tls).transport, IsOk());
}

TEST_F(TlsTest, FilesThatCannotBeReadOrUsedSaySo) {
  TlsOptions absent;
  absent.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(Fetch(absent).transport,
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("/nonexistent/ca.pem")));
  TlsOptions garbage;
  garbage.ca = "not a certificate";
  EXPECT_THAT(Fetch(garbage).transport, StatusIs(absl::StatusCode::kPermissionDenied));
  TlsOptions key;
  key.ca_file = certificates_.ca_file();
  key.cert_file = certificates_.client_cert_file();
  key.key_file = certificates_.server_key_file();
  EXPECT_THAT(Fetch(key).transport, StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(TlsTest, AClientCertificateIsAccepted) {
  TlsOptions tls;
  tls.ca_file = certificates_.ca_file();
  tls.cert_file = certificates_.client_cert_file();
  tls.key_file = certificates_.client_key_file();
  EXPECT_THAT(Fetch(tls).transport, IsOk());
}

TEST_F(TlsTest, PlainHttpAtATlsPortFails) {
  HttpRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/";
  EXPECT_THAT(FetchOnce(std::move(request)).transport, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace ampari
