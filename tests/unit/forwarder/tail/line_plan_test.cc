// LinePlan: the streams, metadata and fate of lines.
#include "forwarder/tail/line_plan.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forwarder/tail/access_log_format.h"

namespace ampari {
namespace {

constexpr char kAccess[] =
    R"([2024-05-01T10:00:00.123Z] "GET /reviews/1 HTTP/1.1" 200 - via_upstream - "-" 0 358 9 8 "-" "curl/8.0" "5b3b3c52" "reviews:9080" "10.244.0.12:9080" outbound|9080||reviews.default.svc.cluster.local 10.244.0.11:44466 10.96.108.1:9080 10.244.0.11:49880 - default)";
constexpr char kOld[] =
    R"([2019-03-06T09:31:27.354Z] "GET /status/418 HTTP/1.1" 418 - "-" 0 135 5 2 "-" "curl/7.60.0" "d209e46f" "httpbin:8000" "127.0.0.1:80" inbound|8000|http|httpbin - 172.30.146.73:80 172.30.146.82:38618 outbound default)";
constexpr char kTcp[] =
    R"([2024-05-01T10:00:00.123Z] "- - -" 0 UF,URX - - "-" 0 0 2285 - "-" "-" "-" "-" "127.0.0.1:12950" inbound|12950|| - 10.0.0.1:12950 10.0.0.2:4000 - -)";
constexpr char kJson[] =
    R"({"start_time":"2024-05-01T10:00:00.123Z","method":"POST","path":"/a\"b","protocol":"HTTP/2","response_code":503,"upstream_host":null})";
constexpr char kAgent[] = "2024-10-02T18:28:15.365329Z\tinfo\tsds\tstarted";
constexpr char kEnvoy[] = "2024-10-02T18:28:15.365329Z\twarning\tenvoy config x.cc:1\tclosed";
constexpr char kAgentJson[] =
    R"({"level":"info","time":"2024-05-01T10:00:00Z","msg":"x","response_code":"200"})";
constexpr char kAppJson[] = R"({"response_code":200,"method":"GET"})";

using Action = LogLineRule::Action;

struct Setting {
  Labels labels = {{"pod", "web-0"}};
  AccessLogOptions access;
  std::vector<LogLineRule> rules;
};

std::unique_ptr<LinePlan> Made(const Setting& setting) {
  auto job = std::make_shared<LogJob>();
  job->access = setting.access;
  job->rules = setting.rules;
  LogTarget target;
  target.job = job;
  target.labels = setting.labels;
  auto plan = LinePlan::Make(target);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *std::move(plan);
}

JoinedLine Line(std::string_view text, LogOutput output = LogOutput::kStdout, int64_t time = 1) {
  JoinedLine line;
  line.output = output;
  line.time_ns = time;
  line.text = text;
  return line;
}

// "{labels} name=value …", or the fate of a line that is not kept.
std::string Told(LinePlan* plan, const JoinedLine& line) {
  PlannedLine planned;
  switch (plan->Plan(line, &planned)) {
    case LineFate::kDropped:
      return "dropped";
    case LineFate::kSampledOut:
      return "sampled out";
    case LineFate::kTooLong:
      return "too long";
    case LineFate::kKept:
      break;
  }
  std::string text = planned.labels->ToString();
  for (const auto& [name, value] : *planned.metadata) text += " " + name + "=" + value;
  return text;
}

AccessLogOptions Promoting(std::vector<PromotedField> labels,
                           std::vector<PromotedField> metadata = {}) {
  AccessLogOptions access;
  access.enabled = true;
  access.labels = std::move(labels);
  access.metadata = std::move(metadata);
  return access;
}

AccessLogOptions Custom(std::string_view format, std::vector<PromotedField> labels = {}) {
  AccessLogOptions access = Promoting(std::move(labels));
  access.formats = {*AccessLogFormat::Text(format), AccessLogFormat::Json()};
  return access;
}

const std::vector<PromotedField> kMixin = {
    {"method", "request_method"}, {"protocol", "protocol"}, {"response_code", "response_code"}};

TEST(LinePlan, StreamsAndMetadata) {
  struct Row {
    const char* what;
    Setting setting;
    const char* line;
    LogOutput output;
    const char* want;
  };
  const auto out = LogOutput::kStdout, err = LogOutput::kStderr;
  const Row rows[] = {
      {"type and stream", {}, kAccess, out, R"({log_type="access", pod="web-0", stream="stdout"})"},
      {"stderr", {}, kEnvoy, err, R"({log_type="envoy", pod="web-0", stream="stderr"})"},
      {"agent", {}, kAgent, out, R"({log_type="agent", pod="web-0", stream="stdout"})"},
      {"an application's", {}, "hello", out, R"({log_type="other", pod="web-0", stream="stdout"})"},
      {"the target's own win",
       {{{"log_type", "mine"}, {"stream", "s"}}, {}, {}},
       kAgent,
       out,
       R"({log_type="mine", stream="s"})"},
      {"no labels at all", {Labels(), {}, {}}, "x", out, R"({log_type="other", stream="stdout"})"},
      {"promoted",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kAccess,
       out,
       R"({log_type="access", pod="a", protocol="HTTP/1.1", request_method="GET", response_code="200", stream="stdout"})"},
      {"before 1.9",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kOld,
       out,
       R"({log_type="access", pod="a", protocol="HTTP/1.1", request_method="GET", response_code="418", stream="stdout"})"},
      {"JSON",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kJson,
       out,
       R"({log_type="access", pod="a", protocol="HTTP/2", request_method="POST", response_code="503", stream="stdout"})"},
      {"TCP has fewer fields",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kTcp,
       out,
       R"({log_type="access", pod="a", response_code="0", stream="stdout"})"},
      {"not of agent lines",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kAgent,
       out,
       R"({log_type="agent", pod="a", stream="stdout"})"},
      {"not of agent lines in JSON",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kAgentJson,
       out,
       R"({log_type="agent", pod="a", stream="stdout"})"},
      {"nor of an application's",
       {{{"pod", "a"}}, Promoting(kMixin), {}},
       kAppJson,
       out,
       R"({log_type="other", pod="a", stream="stdout"})"},
      {"the target's win over promoted",
       {{{"method", "mine"}}, Promoting({{"method", "method"}}), {}},
       kAccess,
       out,
       R"({log_type="access", method="mine", stream="stdout"})"},
      {"metadata by name",
       {{{"pod", "a"}},
        Promoting({}, {{"request_id", "z_id"}, {"path", "path"}, {"no_such", "b"}}),
        {}},
       kAccess,
       out,
       R"({log_type="access", pod="a", stream="stdout"} path=/reviews/1 z_id=5b3b3c52)"},
      {"escapes are undone",
       {{{"pod", "a"}}, Promoting({}, {{"path", "path"}}), {}},
       kJson,
       out,
       R"({log_type="access", pod="a", stream="stdout"} path=/a"b)"},
      {"a custom format",
       {{{"pod", "a"}}, Custom("%REQ(:METHOD)%|%RESPONSE_CODE%|%DURATION%", kMixin), {}},
       "PUT|204|7",
       out,
       R"({log_type="access", pod="a", request_method="PUT", response_code="204", stream="stdout"})"},
      {"a custom format with tabs",
       {{{"pod", "a"}}, Custom("%START_TIME%\t%RESPONSE_CODE%\t%DURATION%", kMixin), {}},
       "2024-10-02T18:28:15.365329Z\t204\t7",
       out,
       R"({log_type="access", pod="a", response_code="204", stream="stdout"})"},
      {"custom JSON",
       {{{"pod", "a"}},
        Custom(R"({"c":"%RESPONSE_CODE%","r":{"m":"%REQ(:METHOD)%"},"d":"%DURATION%"})", kMixin),
        {}},
       R"({"d":7,"r":{"m":"PUT"},"c":204})",
       out,
       R"({log_type="access", pod="a", request_method="PUT", response_code="204", stream="stdout"})"},
      {"not quite custom JSON",
       {{{"pod", "a"}},
        Custom(R"({"c":"%RESPONSE_CODE%","r":{"m":"%REQ(:METHOD)%"},"d":"%DURATION%"})", kMixin),
        {}},
       R"({"d":7,"r":{"m":"PUT"},"user":"x"})",
       out,
       R"({log_type="other", pod="a", stream="stdout"})"},
      {"JSON after a custom format",
       {{{"pod", "a"}}, Custom("%REQ(:METHOD)%|%RESPONSE_CODE%", {{"response_code", "code"}}), {}},
       kJson,
       out,
       R"({code="503", log_type="access", pod="a", stream="stdout"})"},
      {"none of the formats",
       {{{"pod", "a"}}, Custom("%REQ(:METHOD)%|%RESPONSE_CODE%", kMixin), {}},
       kAccess,
       out,
       R"({log_type="access", pod="a", stream="stdout"})"},
  };
  for (const Row& row : rows) {
    const auto plan = Made(row.setting);
    EXPECT_EQ(Told(plan.get(), Line(row.line, row.output)), row.want) << row.what;
    EXPECT_EQ(Told(plan.get(), Line(row.line, row.output)), row.want) << row.what << ", again";
  }
}

TEST(LinePlan, Rules) {
  const auto rule = [](Action action, const char* field, const char* regex, double rate = 1) {
    LogLineRule made;
    made.action = action;
    made.field = field;
    made.regex = regex;
    made.rate = rate;
    return made;
  };
  struct Row {
    const char* what;
    std::vector<LogLineRule> rules;
    const char* line;
    LogOutput output;
    const char* want;  // "kept" or the fate
  };
  const auto out = LogOutput::kStdout, err = LogOutput::kStderr;
  const Row rows[] = {
      {"no rules", {}, kAccess, out, "kept"},
      {"dropped by a field",
       {rule(Action::kDrop, "response_code", "2..")},
       kAccess,
       out,
       "dropped"},
      {"another value", {rule(Action::kDrop, "response_code", "5..")}, kAccess, out, "kept"},
      {"anchored at the end", {rule(Action::kDrop, "response_code", "20")}, kAccess, out, "kept"},
      {"anchored at the beginning",
       {rule(Action::kDrop, "response_code", "00")},
       kAccess,
       out,
       "kept"},
      {"the first decides",
       {rule(Action::kKeep, "method", "GET"), rule(Action::kDrop, "response_code", "2..")},
       kAccess,
       out,
       "kept"},
      {"one not met, one met",
       {rule(Action::kKeep, "method", "PUT"), rule(Action::kDrop, "response_code", "2..")},
       kAccess,
       out,
       "dropped"},
      {"keep, then drop the rest",
       {rule(Action::kKeep, "response_code", "5.."), rule(Action::kDrop, "", "(.*)")},
       kAccess,
       out,
       "dropped"},
      {"JSON",
       {rule(Action::kKeep, "response_code", "5.."), rule(Action::kDrop, "", "(.*)")},
       kJson,
       out,
       "kept"},
      {"by type", {rule(Action::kDrop, "log_type", "agent|envoy")}, kAgent, out, "dropped"},
      {"by type, other", {rule(Action::kDrop, "log_type", "agent|envoy")}, kAccess, out, "kept"},
      {"by output", {rule(Action::kDrop, "stream", "stderr")}, kEnvoy, err, "dropped"},
      {"by output, other", {rule(Action::kDrop, "stream", "stderr")}, kAccess, out, "kept"},
      {"an absent field is empty",
       {rule(Action::kDrop, "response_code", "")},
       kAgent,
       out,
       "dropped"},
      {"nothing is sampled",
       {rule(Action::kSample, "log_type", "access", 0)},
       kAccess,
       out,
       "sampled out"},
      {"everything is sampled",
       {rule(Action::kSample, "log_type", "access", 1), rule(Action::kDrop, "", "(.*)")},
       kAccess,
       out,
       "kept"},
      {"a sample of others", {rule(Action::kSample, "log_type", "access", 0)}, kAgent, out, "kept"},
  };
  for (const Row& row : rows) {
    Setting setting;
    setting.rules = row.rules;
    const auto plan = Made(setting);
    const std::string told = Told(plan.get(), Line(row.line, row.output));
    EXPECT_EQ(told.starts_with("{") ? "kept" : told, row.want) << row.what;
  }
}

TEST(LinePlan, ASampleIsAShareAndTheSameWhenReadAgain) {
  Setting setting;
  LogLineRule rule;
  rule.action = Action::kSample;
  rule.rate = 0.25;
  setting.rules = {rule};
  const auto plan = Made(setting), again = Made(setting);
  int kept = 0, kept_of_equal_texts = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string text = "line " + std::to_string(i);
    const std::string told = Told(plan.get(), Line(text, LogOutput::kStdout, i));
    EXPECT_EQ(told, Told(again.get(), Line(text, LogOutput::kStdout, i)));
    kept += told != "sampled out" ? 1 : 0;
    kept_of_equal_texts += Told(plan.get(), Line("x", LogOutput::kStdout, i)) != "sampled out";
  }
  EXPECT_NEAR(kept, 1000, 150);
  EXPECT_NEAR(kept_of_equal_texts, 1000, 150);
}

TEST(LinePlan, LinesThatAreTooLong) {
  const auto plan = Made({});
  JoinedLine line = Line("beginning");
  line.refused = true;
  EXPECT_EQ(Told(plan.get(), line), "too long");
  line = Line("beginning");
  line.cut = true;
  EXPECT_EQ(Told(plan.get(), line), R"({log_type="other", pod="web-0", stream="stdout"})");
}

TEST(LinePlan, EqualLabelSetsHaveOneAddress) {
  Setting setting;
  setting.access = Promoting(kMixin);
  const auto plan = Made(setting);
  PlannedLine first, second, other;
  ASSERT_EQ(plan->Plan(Line(kAccess), &first), LineFate::kKept);
  ASSERT_EQ(plan->Plan(Line(kJson), &other), LineFate::kKept);
  ASSERT_EQ(plan->Plan(Line(kAccess), &second), LineFate::kKept);
  EXPECT_EQ(first.labels, second.labels);
  EXPECT_NE(first.labels, other.labels);
}

TEST(LinePlan, FieldsAreOfTheirLineOnly) {
  Setting setting;
  setting.access = Promoting(kMixin);
  setting.access.formats = {AccessLogFormat::Json()};
  const auto json = Made(setting);
  EXPECT_NE(Told(json.get(), Line(kJson)).find("503"), std::string::npos);
  EXPECT_EQ(Told(json.get(), Line(kAgent)), R"({log_type="agent", pod="web-0", stream="stdout"})");
  // The beginning of an access line has fields that are none: its format does not fit.
  setting.access = Promoting(kMixin);
  const auto text = Made(setting);
  EXPECT_EQ(Told(text.get(), Line(std::string_view(kAccess).substr(0, 100))),
            R"({log_type="access", pod="web-0", stream="stdout"})");
}

TEST(LinePlan, ValuesAreNotRunTogether) {
  Setting setting;
  setting.access = Custom("%A%|%B%", {{"a", "a"}, {"b", "b"}});
  const auto plan = Made(setting);
  EXPECT_NE(Told(plan.get(), Line("1|23")), Told(plan.get(), Line("12|3")));
}

TEST(LinePlan, StreamsAreBounded) {
  Setting setting;
  setting.access = Custom("%RESPONSE_CODE%|%DURATION%", {{"duration", "duration"}});
  const auto plan = Made(setting);
  for (size_t i = 0; i < LinePlan::kMaxStreams; ++i) {
    const std::string line = "200|" + std::to_string(i);
    ASSERT_NE(Told(plan.get(), Line(line)).find("duration"), std::string::npos);
  }
  EXPECT_EQ(plan->streams_refused(), 0);
  EXPECT_EQ(Told(plan.get(), Line("200|99999")),
            R"({log_type="access", pod="web-0", stream="stdout"})");
  EXPECT_EQ(plan->streams_refused(), 1);
  EXPECT_NE(Told(plan.get(), Line("200|5")).find("duration=\"5\""), std::string::npos);
  EXPECT_EQ(plan->streams_refused(), 1);
}

TEST(LinePlan, LongValuesAreCut) {
  Setting setting;
  setting.access = Custom("%RESPONSE_CODE%|%ROUTE_NAME%", {{"route_name", "route"}});
  setting.access.metadata = {{"response_code", "a"}, {"route_name", "b"}, {"response_code", "c"}};
  const auto plan = Made(setting);
  const std::string line = "200|" + std::string(size_t{100} << 10, 'x');
  PlannedLine planned;
  ASSERT_EQ(plan->Plan(Line(line), &planned), LineFate::kKept);
  EXPECT_EQ(planned.labels->Get("route").size(), 2048);
  ASSERT_EQ(planned.metadata->size(), 2);
  EXPECT_EQ((*planned.metadata)[1].second.size(), LinePlan::kMaxMetadataBytes - 4 - 1);
  // A character of two bytes at the end of the room is left out whole.
  const std::string accents = "200|x" + [] {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "\xc3\xa9";
    return text;
  }();
  ASSERT_EQ(plan->Plan(Line(accents), &planned), LineFate::kKept);
  EXPECT_EQ(planned.labels->Get("route").size(), 2047);
}

TEST(LinePlan, CountsAccessLinesThatNoFormatFits) {
  Setting setting;
  setting.access = Custom("%REQ(:METHOD)%|%RESPONSE_CODE%");
  const auto plan = Made(setting);
  for (const char* line : {kAccess, "GET|200", kAgent, kJson, kTcp}) Told(plan.get(), Line(line));
  EXPECT_EQ(plan->unparsed(), 2);
}

TEST(LinePlan, ARegexThatIsNone) {
  auto job = std::make_shared<LogJob>();
  job->rules.emplace_back().regex = "(";
  LogTarget target;
  target.job = job;
  EXPECT_EQ(LinePlan::Make(target).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ampari
