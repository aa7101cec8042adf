#include "common/config/http_client_block.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

HttpClientOptions Read(ConfigFile& file) {
  MappingReader root(file);
  HttpClientOptions options = ReadHttpClientOptions(root);
  ReadPlainHeaders(root, "headers", &options);
  root.Finish();
  return options;
}

HttpClientOptions ReadGood(const std::string& yaml) {
  ConfigFile file(yaml, "/etc/f.yaml");
  HttpClientOptions options = Read(file);
  EXPECT_THAT(file.status(), IsOk()) << yaml;
  return options;
}

TEST(HttpClientBlockTest, Defaults) {
  const HttpClientOptions options = ReadGood("");
  EXPECT_FALSE(options.has_basic_auth);
  EXPECT_EQ(options.authorization_type, "");
  EXPECT_TRUE(options.follow_redirects);
}

TEST(HttpClientBlockTest, Credentials) {
  EXPECT_TRUE(ReadGood("basic_auth: {password: p}").has_basic_auth);
  EXPECT_EQ(ReadGood("basic_auth: {username: u, password_file: p}").password.file, "/etc/p");
  EXPECT_EQ(ReadGood("authorization: {credentials: c}").authorization_type, "Bearer");
  EXPECT_EQ(ReadGood("authorization: {type: ApiKey, credentials: c}").authorization_type, "ApiKey");
  EXPECT_EQ(ReadGood("bearer_token: t").credentials.value, "t");
  EXPECT_EQ(ReadGood("bearer_token_file: t").authorization_type, "Bearer");
}

TEST(HttpClientBlockTest, TlsProxyAndHeaders) {
  const HttpClientOptions options = ReadGood(
      "tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: /k.pem, server_name: s, "
      "min_version: TLS12}\n"
      "proxy_url: http://proxy:3128\nno_proxy: example.com\nfollow_redirects: false\nenable_http2: "
      "false\n"
      "http_headers: {X-A: {values: [a, b], secrets: [c], files: [d]}}\nheaders: {X-Scope-OrgID: "
      "1}\n");
  EXPECT_EQ(options.tls.ca_file, "/etc/ca.pem");
  EXPECT_EQ(options.tls.key_file, "/k.pem");
  EXPECT_EQ(options.tls.min_version, "TLS12");
  EXPECT_EQ(options.proxy_url, "http://proxy:3128");
  EXPECT_FALSE(options.follow_redirects);
  ASSERT_EQ(options.headers.size(), 2u);
  EXPECT_EQ(options.headers[0].name, "X-A");
  EXPECT_THAT(options.headers[0].values, ElementsAre("a", "b"));
  EXPECT_EQ(options.headers[0].secrets[0].value, "c");
  EXPECT_EQ(options.headers[0].secrets[1].file, "/etc/d");
  EXPECT_EQ(options.headers[1].name, "X-Scope-OrgID");
  EXPECT_THAT(options.headers[1].values, ElementsAre("1"));
}

TEST(HttpClientBlockTest, Refuses) {
  const struct {
    const char* yaml;
    const char* message;
  } rows[] = {
      {"basic_auth: {password: a, password_file: b}",
       "basic_auth.password: at most one of password and password_file"},
      {"basic_auth: {user: a}", "basic_auth: unknown key \"user\"; did you mean \"username\"?"},
      {"basic_auth: {password: a}\nauthorization: {credentials: b}",
       "at most one of basic_auth, authorization"},
      {"basic_auth: {password: a}\nbearer_token: b", "at most one of basic_auth, authorization"},
      {"authorization: {credentials: a}\nbearer_token: b",
       "bearer_token: authorization is not compatible"},
      {"bearer_token: a\nbearer_token_file: b",
       "at most one of bearer_token and bearer_token_file"},
      {"authorization: {type: bAsIc}",
       "authorization.type: authorization type cannot be set to \"basic\""},
      {"oauth2: {client_id: x}", "oauth2: not supported; use authorization"},
      {"tls_config: {ca: a, ca_file: b}", "tls_config.ca: at most one of ca and ca_file"},
      {"tls_config: {cert_file: a}",
       "tls_config.cert_file: a client certificate and its key must be given together"},
      {"tls_config: {key_file: a}",
       "tls_config.key_file: a client certificate and its key must be given together"},
      {"tls_config: {min_version: TLS99}", "\"TLS99\" is not a TLS version"},
      {"tls_config: {min_version: TLS13, max_version: TLS12}",
       "max_version must be greater than or equal to"},
      {"tls_config: {ca_fil: a}", "tls_config: unknown key \"ca_fil\"; did you mean \"ca_file\"?"},
      {"proxy_url: socks5://x", "proxy_url: \"socks5://x\" is not a URL"},
      {"no_proxy: a", "no_proxy: if no_proxy is set, proxy_url must be set"},
      {"proxy_from_environment: true", "proxy_from_environment: not supported"},
      {"proxy_connect_header: {a: [b]}",
       "proxy_connect_header: headers for the proxy are not supported"},
      {"http_headers: {Authorization: {values: [a]}}",
       "http_headers.Authorization: the Authorization header is set by"},
      {"headers: {authorization: a}", "headers.authorization: the Authorization header is set by"},
      {"headers: {content-TYPE: a}", "headers.content-TYPE: a reserved header"},
      {"headers: {X-Prometheus-Remote-Write-Version: a}", "a reserved header"},
      {"headers: {'X Y': a}", "headers.X Y: not a valid header name"},
      {"headers: {X: \"a\\nb\"}", "headers.X: a header value must not hold line breaks"},
      {"http_headers: {X: {value: [a]}}",
       "http_headers.X: unknown key \"value\"; did you mean \"values\"?"},
  };
  for (const auto& row : rows) {
    ConfigFile file(row.yaml, "f.yaml");
    Read(file);
    EXPECT_THAT(file.status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.yaml;
  }
}

TEST(HttpClientBlockTest, UrlsArePrintedWithoutTheirUserPart) {
  const struct {
    const char* url;
    const char* printed;
  } rows[] = {
      {"https://h/p", "https://h/p"},
      {"https://u:pw@h/p", "https://<secret>@h/p"},
      {"https://token@h:1/p?x=@", "https://<secret>@h:1/p?x=@"},
      {"https://h/a@b", "https://h/a@b"},
      {"u:pw@h", "<secret>@h"},
      {"https://u:p@w@h", "https://<secret>@h"},
      {"", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(RedactedUrl(row.url), row.printed);
}

}  // namespace
}  // namespace ampari
