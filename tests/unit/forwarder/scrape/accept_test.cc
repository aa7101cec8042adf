#include "forwarder/scrape/accept.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using enum ScrapeProtocol;

// prometheus/prometheus scrape/scrape_test.go TestAcceptHeader, with the legacy naming scheme.
TEST(Accept, HeaderIsPrometheus) {
  const std::vector<ScrapeProtocol> by_default = {kOpenMetrics100, kOpenMetrics001, kText100,
                                                  kText004};
  EXPECT_EQ(AcceptHeader(by_default),
            "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=underscores;q=0.4,"
            "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
  const std::vector<ScrapeProtocol> text_only = {kText004};
  EXPECT_EQ(AcceptHeader(text_only), "text/plain;version=0.0.4;q=0.6,*/*;q=0.5");
}

TEST(Accept, TimeoutIsShortestDecimal) {
  EXPECT_EQ(TimeoutHeader(absl::Seconds(10)), "10");
  EXPECT_EQ(TimeoutHeader(absl::Milliseconds(2500)), "2.5");
  EXPECT_EQ(TimeoutHeader(absl::Milliseconds(1)), "0.001");
  EXPECT_EQ(TimeoutHeader(absl::Hours(100)), "360000");
}

TEST(Accept, ContentTypes) {
  struct Row {
    const char* content_type;
    const char* without_fallback;  // the protocol's name, or a part of the error
    const char* with_fallback;     // fallback OpenMetricsText0.0.1
  };
  constexpr char kText[] = "PrometheusText0.0.4", kOpen[] = "OpenMetricsText1.0.0";
  constexpr char kFallback[] = "OpenMetricsText0.0.1";
  for (const Row& row : std::vector<Row>{
           {"text/plain", kText, kText},
           {"text/plain; version=0.0.4; charset=utf-8", kText, kText},
           {"TEXT/Plain;version=\"1.0.0\"", kText, kText},
           {"text/plain;", kText, kText},
           {"text/plain; unknown=x", kText, kText},
           {"application/openmetrics-text", kOpen, kOpen},
           {"application/openmetrics-text; version=0.0.1; charset=utf-8", kOpen, kOpen},
           {"application/vnd.google.protobuf", "protobuf", "protobuf"},
           {"", "no Content-Type", kFallback},
           {"text/html", "unsupported", kFallback},
           {"application/json", "unsupported", kFallback},
           {"text/plain/more", "cannot parse", kFallback},
           {"text/", "cannot parse", kFallback},
           {"/plain", "cannot parse", kFallback},
           {"text/plain; charset", "cannot parse", kFallback},
           {"text/plain; a=1; a=2", "cannot parse", kFallback},
           {"text/plain; a=\"1", "cannot parse", kFallback},
           {"text/plain,text/html", "cannot parse", kFallback},
       }) {
    SCOPED_TRACE(row.content_type);
    ScrapeJob job;
    const auto answer = [&] {
      const absl::StatusOr<ScrapeProtocol> protocol = ProtocolOf(row.content_type, job);
      return protocol.ok() ? std::string(ProtocolName(*protocol))
                           : std::string(protocol.status().message());
    };
    EXPECT_THAT(answer(), testing::HasSubstr(row.without_fallback));
    job.has_fallback_protocol = true;
    job.fallback_protocol = kOpenMetrics001;
    EXPECT_THAT(answer(), testing::HasSubstr(row.with_fallback));
  }
}

TEST(Accept, LongContentTypesAreCutInMessages) {
  const absl::Status status = ProtocolOf(std::string(100'000, 'x'), ScrapeJob()).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_LT(status.message().size(), 400);
}

}  // namespace
}  // namespace ampari
