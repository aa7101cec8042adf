// What Prometheus' OpenMetrics parser accepts and rejects, one row each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/forwarder/scrape/scraped_bodies.h"

namespace ampari {
namespace {

using Samples = std::map<std::string, std::string>;

struct Row {
  const char* name;
  std::string body;
  bool up;
  Samples samples = {};
};

std::string L(std::string_view rest) {
  return absl::StrCat("{__name__=\"m\", instance=\"i\", job=\"j\"", std::string(rest), "}");
}

const int64_t kAt = kFirstScrapeMs + kIntervalMs;

std::vector<Row> Rows() {
  const std::string seconds = absl::StrCat(kAt / 1000 - 1);
  return {
      {"plain", "m 1\n# EOF\n", true, {{L(""), "1"}}},
      {"no newline behind EOF", "m 1\n# EOF", true, {{L(""), "1"}}},
      {"only EOF", "# EOF\n", true},
      {"empty body", "", true},
      {"labels", "m{y=\"1\",z=\"2\"} 1\n# EOF\n", true, {{L(", y=\"1\", z=\"2\""), "1"}}},
      {"trailing comma", "m{z=\"2\",} 1\n# EOF\n", true, {{L(", z=\"2\""), "1"}}},
      {"timestamp in seconds",
       "m 1 " + seconds + ".5\n# EOF\n",
       true,
       {{L(""), absl::StrCat("1@", kAt - 500)}}},
      {"negative timestamp is too old", "m 1 -1\n# EOF\n", true},
      {"exemplar", "m 1 # {trace=\"x\"} 0.5\n# EOF\n", true, {{L(""), "1"}}},
      {"exemplar with time", "m 1 # {} 0.5 1.5\n# EOF\n", true, {{L(""), "1"}}},
      {"exemplar on a gauge", "# TYPE m gauge\nm 1 # {a=\"b\"} 1\n# EOF\n", true, {{L(""), "1"}}},
      {"exemplar behind a timestamp",
       "m 1 " + seconds + " # {a=\"b\"} 1\n# EOF\n",
       true,
       {{L(""), absl::StrCat("1@", kAt - 1000)}}},
      {"quoted label in an exemplar", "m 1 # {\"a\"=\"b\"} 1\n# EOF\n", true, {{L(""), "1"}}},
      {"all types",
       "# TYPE a counter\n# TYPE b gauge\n# TYPE c histogram\n# TYPE d gaugehistogram\n# TYPE e "
       "summary\n# TYPE f info\n# TYPE g stateset\n# TYPE h unknown\n# EOF\n",
       true},
      {"unit", "# TYPE m_seconds gauge\n# UNIT m_seconds seconds\n# EOF\n", true},
      {"empty unit", "# UNIT m \n# EOF\n", true},
      {"HELP", "# HELP m a \\\"b\\\" \\\\ \\n\n# EOF\n", true},
      {"_created is a series",
       "m 1\nm_created 5\n# EOF\n",
       true,
       {{L(""), "1"}, {"{__name__=\"m_created\", instance=\"i\", job=\"j\"}", "5"}}},
      {"counter without _total", "# TYPE m counter\nm 1\n# EOF\n", true, {{L(""), "1"}}},
      {"quoted metric name", "{\"m\"} 1\n# EOF\n", true, {{L(""), "1"}}},
      {"interleaved families",
       "m 1\nm{z=\"1\"} 1\nm 2\n# EOF\n",
       true,
       {{L(""), "1"}, {L(", z=\"1\""), "1"}}},
      // Rejected.
      {"no EOF", "m 1\n", false},
      {"no EOF and no newline", "m 1", false},
      {"data behind EOF", "m 1\n# EOF\nm 2\n", false},
      {"blank line behind EOF", "m 1\n# EOF\n\n", false},
      {"EOF twice", "# EOF\n# EOF\n", false},
      {"EOF with more", "m 1\n# EOFx\n", false},
      {"two blanks", "m  1\n# EOF\n", false},
      {"tab", "m\t1\n# EOF\n", false},
      {"leading blank", " m 1\n# EOF\n", false},
      {"trailing blank", "m 1 \n# EOF\n", false},
      {"blank line", "m 1\n\nm{z=\"1\"} 1\n# EOF\n", false},
      {"comment", "# a\nm 1\n# EOF\n", false},
      {"comment without blank", "#a\nm 1\n# EOF\n", false},
      {"missing comma", "m{y=\"1\" z=\"2\"} 1\n# EOF\n", false},
      {"blank in braces", "m{ y=\"1\"} 1\n# EOF\n", false},
      {"blank before the brace", "m {y=\"1\"} 1\n# EOF\n", false},
      {"comma alone", "m{,} 1\n# EOF\n", false},
      {"raw newline in a value", "m{y=\"1\n2\"} 1\n# EOF\n", false},
      {"value at the brace", "m{y=\"1\"}1\n# EOF\n", false},
      {"untyped", "# TYPE m untyped\n# EOF\n", false},
      {"unit that is no suffix", "# UNIT m seconds\n# EOF\n", false},
      {"unit without underscore", "# UNIT mseconds seconds\n# EOF\n", false},
      {"timestamp NaN", "m 1 NaN\n# EOF\n", false},
      {"timestamp Inf", "m 1 +Inf\n# EOF\n", false},
      {"exemplar without value", "m 1 # {a=\"b\"}\n# EOF\n", false},
      {"exemplar time NaN", "m 1 # {a=\"b\"} 1 NaN\n# EOF\n", false},
      {"exemplar as a name", "m 1 # {\"a\"} 1\n# EOF\n", false},
      {"exemplar without blank", "m 1 #{a=\"b\"} 1\n# EOF\n", false},
      {"CRLF", "m 1\r\n# EOF\r\n", false},
      {"hexadecimal", "m 0x1p1\n# EOF\n", false},
      {"bad UTF-8", "m{z=\"\xff\"} 1\n# EOF\n", false},
      {"repeated label", "m{z=\"1\",z=\"1\"} 1\n# EOF\n", false},
      {"no name", "{z=\"1\"} 1\n# EOF\n", false},
  };
}

TEST(OpenMetricsFormat, AcceptsAndRejectsAsPrometheus) {
  for (const Row& row : Rows()) {
    for (size_t piece = 1; piece <= row.body.size() + 1; ++piece) {
      SCOPED_TRACE(absl::StrCat(row.name, " in pieces of ", piece));
      ScrapedBodies target;
      target.protocol = ScrapeProtocol::kOpenMetrics100;
      ASSERT_EQ(target.Scrape(row.body, {}, piece), row.samples);
      ASSERT_EQ(target.summary.up, row.up) << target.summary.error;
      if (!row.up) continue;
      target.Scrape(row.body, {}, piece);
      ASSERT_EQ(target.summary.parsed, 0u);
    }
  }
}

TEST(OpenMetricsFormat, ExemplarsAreCounted) {
  ScrapedBodies target;
  target.protocol = ScrapeProtocol::kOpenMetrics001;
  const std::string body = "m 1 # {a=\"b\"} 1\nm{z=\"1\"} 1\nm{z=\"2\"} 1 # {} 2\n# EOF\n";
  target.Scrape(body);
  EXPECT_EQ(target.summary.exemplars_dropped, 2u);
  target.Scrape(body);
  EXPECT_EQ(target.summary.exemplars_dropped, 2u);
  EXPECT_EQ(target.summary.predicted, 3u);
}

}  // namespace
}  // namespace ampari
