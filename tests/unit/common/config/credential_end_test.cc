#include "common/config/credential_end.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

namespace ampari {
namespace {

std::string Jwt(const std::string& claims) {
  return absl::StrCat("eyJhbGciOiJub25lIn0.", absl::WebSafeBase64Escape(claims), ".c2ln");
}

TEST(CredentialEnd, OfTokens) {
  const struct {
    const char* what;
    std::string token;
    int64_t unix_seconds;  // 0: none
  } kRows[] = {
      {"a JSON web token", Jwt(R"({"iss":"region","exp":1893456000,"sub":"me"})"), 1893456000},
      {"with a fraction", Jwt(R"({"exp":1893456000.5})"), 1893456000},
      {"in exponent form", Jwt(R"({"exp":1.893456e9})"), 1893456000},
      {"exp of an inner object", Jwt(R"({"inner":{"exp":1893456000}})"), 0},
      {"without exp", Jwt(R"({"iss":"region"})"), 0},
      {"exp is a word", Jwt(R"({"exp":"soon"})"), 0},
      {"exp is negative", Jwt(R"({"exp":-1})"), 0},
      {"exp is beyond all times", Jwt(R"({"exp":1e300})"), 0},
      {"claims are no JSON", Jwt("{"), 0},
      {"claims are no base64", "a.!!.c", 0},
      {"opaque", "glsa_1234567890", 0},
      {"two parts", "a.b", 0},
      {"too long", Jwt(absl::StrCat(R"({"x":")", std::string(70000, 'x'), R"(","exp":1})")), 0},
      {"empty", "", 0},
  };
  for (const auto& row : kRows) {
    const std::optional<absl::Time> end = TokenEnd(row.token);
    EXPECT_EQ(end.has_value() ? absl::ToUnixSeconds(*end) : 0, row.unix_seconds) << row.what;
  }
}

TEST(CredentialEnd, OfCertificates) {
  const TestCertificates made;
  if (!made.ok()) GTEST_SKIP() << "openssl(1) is not there";
  const std::string leaf = ReadFileOrEmpty(made.server_cert_file());
  const std::string authority = ReadFileOrEmpty(made.ca_file());
  ASSERT_TRUE(CertificateEnd(leaf).has_value());
  EXPECT_GT(*CertificateEnd(leaf), absl::UnixEpoch());
  EXPECT_EQ(CertificateEnd(leaf + authority), CertificateEnd(leaf));
  EXPECT_EQ(AuthoritiesEnd(leaf + authority),
            std::max(*CertificateEnd(leaf), *CertificateEnd(authority)));
  EXPECT_EQ(CertificateEnd("no certificate"), std::nullopt);
  EXPECT_EQ(AuthoritiesEnd(""), std::nullopt);
}

TEST(CredentialEnd, TextsComeInlineOrFromFiles) {
  const TempDir dir;
  dir.Write("token", "from file\n");
  EXPECT_EQ(ReadCredential({"inline", ""}), "inline");
  EXPECT_EQ(ReadCredential({"", dir.File("token")}), "from file");
  EXPECT_EQ(ReadCredential({"", dir.File("missing")}), "");
  EXPECT_EQ(ReadCredential({}), "");
}

}  // namespace
}  // namespace ampari
