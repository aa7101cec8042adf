// Access logs: which lines are some, and what their fields say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/log_type.h"

namespace ampari {
namespace {

constexpr char kDefaultLine[] =
    R"([2024-05-01T10:00:00.123Z] "GET /reviews/1?a="b HTTP/1.1" 200 - via_upstream - "-" 0 358 9 8 "10.1.2.3,10.4.5.6" "curl/8.0 "quoted"" "5b3b3c52-1b0f-9a3a-8a3e-6d0a8e2c7f11" "reviews:9080" "10.244.0.12:9080" outbound|9080||reviews.default.svc.cluster.local 10.244.0.11:44466 10.96.108.1:9080 10.244.0.11:49880 - default)";
constexpr char kOldLine[] =
    R"([2019-03-06T09:31:27.354Z] "GET /status/418 HTTP/1.1" 418 - "-" 0 135 5 2 "-" "curl/7.60.0" "d209e46f" "httpbin:8000" "127.0.0.1:80" inbound|8000|http|httpbin - 172.30.146.73:80 172.30.146.82:38618 outbound default)";
constexpr char kTcpLine[] =
    R"([2024-05-01T10:00:00.123Z] "- - -" 0 UF,URX - - "-" 0 0 2285 - "-" "-" "-" "-" "127.0.0.1:12950" inbound|12950|| - 10.0.0.1:12950 10.0.0.2:4000 - -)";
constexpr char kJsonLine[] =
    R"({"start_time":"2024-05-01T10:00:00.123Z","method":"GET","path":"/a\"b","protocol":"HTTP/2","response_code":404,"bytes_sent":0,"upstream_host":null,"user_agent":"-","more":{"tls":{"version":"TLSv1.3"},"list":[1,{"x":2}]}})";

TEST(LogType, Lines) {
  struct Row {
    const char* line;
    const char* type;
  };
  const Row rows[] = {
      {kDefaultLine, "access"},
      {kOldLine, "access"},
      {kTcpLine, "access"},
      {R"([2024-05-01T10:00:00.123Z] "- - HTTP/1.1" 400 DPE http1.codec_error - "-" 0 11 0 - "-")",
       "access"},
      {kJsonLine, "access"},
      {R"({"response_code":200,"start_time":"2024-05-01T10:00:00Z"})", "access"},
      {R"({"start_time":"2024-05-01T10:00:00Z","user":"x"})", "other"},
      {R"({"level":"info","time":"2024-05-01T10:00:00Z","msg":"order placed"})", "agent"},
      {R"({"level":"warning","time":"2024-05-01T10:00:00Z","scope":"envoy config","msg":"gRPC config stream closed","caller":"x","thread":"14"})",
       "envoy"},
      {R"({"level":"info","time":"2024-05-01T10:00:00Z","scope":"access","message":"connection complete","src.addr":"10.0.0.1:1"})",
       "access"},
      {R"({"user":"x"})", "other"},
      {R"({"start_time":"2024-05-01T10:00:00Z","response_code":200,"path":"/cut o)", "access"},
      {R"({"level":"info")", "other"},
      {"2024-10-02T18:28:15.365329Z\tinfo\tFLAG: --concurrency=\"0\"", "agent"},
      {"2024-10-02T18:28:15.365329Z\tinfo\tsds\tSDS server for workload certificates started",
       "agent"},
      {"2024-10-02T18:28:15.365329Z\twarning\tenvoy config "
       "external/envoy/source/x.cc:152\tStreamAggregatedResources gRPC config stream closed: "
       "14\tthread=15",
       "envoy"},
      {"2024-04-11T15:38:42.182974Z\tinfo\taccess\tconnection complete\tsrc.addr=10.244.0.24:46238 "
       "direction=\"outbound\"",
       "access"},
      {"[2019-11-13 15:03:14.836][15][warning][config] [external/envoy/x.cc:91] gRPC config stream "
       "closed: 13",
       "envoy"},
      {"[not a time] \"GET / HTTP/1.1\" 200", "other"},
      {"[2024-05-01T10:00:00.123Z] without a request", "other"},
      {"[", "other"},
      {"panic: runtime error", "other"},
      {"2024-10-02T18:28:15.365329Z with blanks", "other"},
      {"", "other"},
  };
  for (const Row& row : rows) EXPECT_EQ(LogTypeName(ClassifyLine(row.line)), row.type) << row.line;
}

AccessFields Parsed(const AccessLogFormat& format, std::string_view line) {
  AccessFields fields;
  EXPECT_TRUE(format.Parse(line, &fields)) << line;
  return fields;
}

TEST(AccessLogFormat, IstiosDefaultText) {
  const auto format = AccessLogFormat::Text(kIstioTextFormat);
  ASSERT_TRUE(format.ok()) << format.status();
  const AccessFields fields = Parsed(*format, kDefaultLine);
  struct Row {
    const char* name;
    const char* value;
  };
  const Row rows[] = {
      {"start_time", "2024-05-01T10:00:00.123Z"},
      {"method", "GET"},
      {"path", "/reviews/1?a=\"b"},
      {"protocol", "HTTP/1.1"},
      {"response_code", "200"},
      {"response_flags", ""},
      {"response_code_details", "via_upstream"},
      {"connection_termination_details", ""},
      {"upstream_transport_failure_reason", ""},
      {"bytes_received", "0"},
      {"bytes_sent", "358"},
      {"duration", "9"},
      {"upstream_service_time", "8"},
      {"x_forwarded_for", "10.1.2.3,10.4.5.6"},
      {"user_agent", "curl/8.0 \"quoted\""},
      {"request_id", "5b3b3c52-1b0f-9a3a-8a3e-6d0a8e2c7f11"},
      {"authority", "reviews:9080"},
      {"upstream_host", "10.244.0.12:9080"},
      {"upstream_cluster", "outbound|9080||reviews.default.svc.cluster.local"},
      {"downstream_remote_address", "10.244.0.11:49880"},
      {"requested_server_name", ""},
      {"route_name", "default"},
      {"no_such_field", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(fields.Get(row.name), row.value) << row.name;
  const AccessFields tcp = Parsed(*format, kTcpLine);
  EXPECT_EQ(tcp.Get("method"), "");
  EXPECT_EQ(tcp.Get("response_flags"), "UF,URX");
  EXPECT_EQ(tcp.Get("upstream_host"), "127.0.0.1:12950");
}

TEST(AccessLogFormat, TheTwoDefaultsTellTheirLinesApart) {
  const auto now = AccessLogFormat::Text(kIstioTextFormat);
  const auto before = AccessLogFormat::Text(kIstioTextFormatBefore19);
  ASSERT_TRUE(now.ok() && before.ok());
  AccessFields fields;
  EXPECT_FALSE(now->Parse(kOldLine, &fields));
  EXPECT_FALSE(before->Parse(kDefaultLine, &fields));
  ASSERT_TRUE(before->Parse(kOldLine, &fields));
  EXPECT_EQ(fields.Get("response_code"), "418");
  EXPECT_EQ(fields.Get("authority"), "httpbin:8000");
}

TEST(AccessLogFormat, Json) {
  const AccessFields fields = Parsed(AccessLogFormat::Json(), kJsonLine);
  EXPECT_EQ(fields.Get("response_code"), "404");
  EXPECT_EQ(fields.Get("path"), "/a\"b");
  EXPECT_EQ(fields.Get("upstream_host"), "");
  EXPECT_EQ(fields.Get("user_agent"), "");
  EXPECT_EQ(fields.Get("more.tls.version"), "TLSv1.3");
  EXPECT_EQ(fields.Get("more.list"), "");
  AccessFields none;
  for (const char* line : {"", "{", "[1]", R"({"a":1} {"b":2})", R"({"a")", "GET /"}) {
    EXPECT_FALSE(AccessLogFormat::Json().Parse(line, &none)) << line;
  }
}

TEST(AccessLogFormat, CustomJson) {
  const auto format = AccessLogFormat::Text(
      R"({"kind":"mesh","http":{"code":"%RESPONSE_CODE%","m":"%REQ(:METHOD)%"},"t":"%DURATION%"})"
      "\n");
  ASSERT_TRUE(format.ok()) << format.status();
  EXPECT_FALSE(format->any_json());
  EXPECT_THAT(format->names(), testing::ElementsAre("kind", "response_code", "method", "duration"));
  struct Row {
    const char* line;
    const char* code;  // nullptr: no line of it
  };
  const Row rows[] = {
      {R"({"kind":"mesh","http":{"code":200,"m":"GET"},"t":5})", "200"},
      {R"({"t":5,"http":{"m":"GET","code":200}})", "200"},
      {R"({"kind":"mesh","http":{"code":null,"m":"GET"},"t":5})", ""},
      {R"({"http":{"code":200}})", nullptr},
      {R"({"http":{"code":200,"m":"GET"},"user":"x"})", nullptr},
      {R"({"code":200,"m":"GET"})", nullptr},
      {R"({"http":{"code":200,"m":"GET"})", nullptr},
      {"{}", nullptr},
      {"GET 200", nullptr},
  };
  for (const Row& row : rows) {
    AccessFields fields;
    ASSERT_EQ(format->Parse(row.line, &fields), row.code != nullptr) << row.line;
    if (row.code != nullptr) {
      EXPECT_EQ(fields.Get("response_code"), row.code) << row.line;
    }
  }
}

TEST(AccessLogFormat, CustomText) {
  struct Row {
    const char* format;
    const char* line;
    const char* name;
    const char* value;  // null: the line is not of the format
  };
  const Row rows[] = {
      {"%RESPONSE_CODE%", "200", "response_code", "200"},
      {"%RESPONSE_CODE%\n", "200", "response_code", "200"},
      {"code=%RESPONSE_CODE% ms=%DURATION%", "code=200 ms=7", "duration", "7"},
      {"code=%RESPONSE_CODE% ms=%DURATION%", "code=200 s=7", "duration", nullptr},
      {"100%% %RESPONSE_CODE%", "100% 200", "response_code", "200"},
      {"%START_TIME(%s.%3f)% %BYTES_SENT%", "1714557600.123 9", "start_time", "1714557600.123"},
      {"%REQ(X-TENANT?USER-AGENT):20% %PROTOCOL%", "acme HTTP/2", "x_tenant_user_agent", "acme"},
      {"%RESP(SERVER)% x", "envoy x", "response_server", "envoy"},
      {"%DYNAMIC_METADATA(istio:a)% x", "v x", "dynamic_metadata_istio_a", "v"},
      {"\"%REQ(USER-AGENT)%\" %DURATION%", R"("a"b" 5)", "user_agent", "a\"b"},
      {"\"%REQ(USER-AGENT)%\" %DURATION%", R"("a" b" 5)", "duration", nullptr},
      {"%PROTOCOL% end", "HTTP/2 end of it", "protocol", nullptr},
  };
  for (const Row& row : rows) {
    const auto format = AccessLogFormat::Text(row.format);
    ASSERT_TRUE(format.ok()) << row.format << ": " << format.status();
    AccessFields fields;
    const bool parsed = format->Parse(row.line, &fields);
    ASSERT_EQ(parsed, row.value != nullptr) << row.format;
    if (!parsed) continue;
    EXPECT_EQ(fields.Get(row.name), row.value) << row.format;
  }
}

TEST(AccessLogFormat, WhatCannotBeTakenApartIsRefusedWithWords) {
  struct Row {
    const char* format;
    const char* words;
  };
  const Row rows[] = {
      {"", "no operator"},
      {"only text", "no operator"},
      {"%PROTOCOL%%RESPONSE_CODE%", "between protocol and the operator at byte 10"},
      {"%PROTOCOL", "at byte 0 has no closing %"},
      {"a %REQ(% b", "no closing %"},
      {"%% %", "no closing %"},
  };
  for (const Row& row : rows) {
    const auto format = AccessLogFormat::Text(row.format);
    ASSERT_FALSE(format.ok()) << row.format;
    EXPECT_THAT(std::string(format.status().message()), ::testing::HasSubstr(row.words))
        << row.format;
  }
}

}  // namespace
}  // namespace ampari
