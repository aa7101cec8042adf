// The settings of lines in an entry of log_configs.
#include "forwarder/log_line_config.h"

#include <string>
#include <vector>

#include "forwarder/tail/line_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  LogJob job;
  absl::Status status;
  std::vector<std::string> warnings;
};

Read ReadFrom(const std::string& yaml) {
  ConfigFile file(yaml, "f.yaml");
  MappingReader block(file);
  Read read;
  ReadLogLineSettings(block, &read.job);
  block.Finish();
  read.status = file.status();
  read.warnings = file.warnings();
  return read;
}

LogJob Job(const std::string& yaml) {
  Read read = ReadFrom(yaml);
  EXPECT_THAT(read.status, IsOk()) << yaml;
  return read.job;
}

std::string Pairs(const std::vector<PromotedField>& fields) {
  std::string text;
  for (const PromotedField& field : fields) text += field.field + ">" + field.name + " ";
  return text;
}

TEST(LogLineConfig, Defaults) {
  const LogJob job = Job("{}");
  EXPECT_EQ(job.lines.max_line_bytes, 256 * 1024);
  EXPECT_EQ(job.lines.long_lines, LongLines::kCut);
  EXPECT_EQ(job.start, LogStart::kAuto);
  EXPECT_FALSE(job.access.enabled);
  EXPECT_TRUE(job.access.labels.empty());
  EXPECT_TRUE(job.rules.empty());
}

TEST(LogLineConfig, WordsAndSizes) {
  const LogJob job = Job("{max_line_size: 1MiB, long_lines: refuse, start: beginning}");
  EXPECT_EQ(job.lines.max_line_bytes, size_t{1} << 20);
  EXPECT_EQ(job.lines.long_lines, LongLines::kRefuse);
  EXPECT_EQ(job.start, LogStart::kBeginning);
  EXPECT_EQ(Job("{start: end}").start, LogStart::kEnd);
}

TEST(LogLineConfig, PromotedFields) {
  struct Row {
    const char* access;
    const char* labels;
    const char* metadata;
  };
  const Row rows[] = {
      {"{}", "", ""},
      {"{labels: [request_method, protocol, response_code]}",
       "method>request_method protocol>protocol response_code>response_code ", ""},
      {"{labels: [method]}", "method>method ", ""},
      {"{labels: {response_code: status, request_method: verb}}",
       "response_code>status method>verb ", ""},
      {"{structured_metadata: [request_id, path]}", "", "request_id>request_id path>path "},
      {"{structured_metadata: {request_id: trace}}", "", "request_id>trace "},
      {"{formats: ['%RESPONSE_CODE% %REQ(X-FOO)%'], labels: {response_code: code, x_foo: foo}}",
       "response_code>code x_foo>foo ", ""},
      {"{formats: [json], labels: {http.code: code}}", "http.code>code ", ""},
  };
  for (const Row& row : rows) {
    const LogJob job = Job(std::string("istio_access_log: ") + row.access);
    EXPECT_TRUE(job.access.enabled);
    EXPECT_EQ(Pairs(job.access.labels), row.labels) << row.access;
    EXPECT_EQ(Pairs(job.access.metadata), row.metadata) << row.access;
  }
}

TEST(LogLineConfig, Formats) {
  EXPECT_EQ(Job("istio_access_log: {}").access.formats.size(), 3);
  const auto formats =
      Job(R"(istio_access_log: {formats: ["%DURATION% $HOME\n", json]})").access.formats;
  ASSERT_EQ(formats.size(), 2);
  EXPECT_EQ(formats[0].text(), "%DURATION% $HOME");
  EXPECT_TRUE(formats[1].any_json());
}

TEST(LogLineConfig, Rules) {
  const LogJob job = Job(R"(
rules:
- {action: keep, field: response_code, regex: "5.."}
- {action: sample, field: request_method, regex: GET, rate: 0.1}
- {action: drop, field: log_type, regex: agent|envoy}
- {action: sample, rate: 0.5}
- {action: drop, field: stream, regex: ""}
)");
  ASSERT_EQ(job.rules.size(), 5);
  EXPECT_EQ(job.rules[0].action, LogLineRule::Action::kKeep);
  EXPECT_EQ(job.rules[0].regex, "5..");
  EXPECT_NE(job.rules[0].compiled, nullptr);
  EXPECT_EQ(job.rules[1].field, "method");
  EXPECT_EQ(job.rules[1].rate, 0.1);
  EXPECT_EQ(job.rules[3].field, "");
  EXPECT_EQ(job.rules[4].regex, "");
}

TEST(LogLineConfig, WhatIsWrongIsToldByPlace) {
  struct Row {
    const char* yaml;
    const char* want;
  };
  const Row rows[] = {
      {"{max_line_size: 0}", "f.yaml:1: max_line_size: must be from 1 byte to 8MiB"},
      {"{max_line_size: 9MiB}", "must be from 1 byte to 8MiB"},
      {"{long_lines: drop}", R"(long_lines: "drop" is none of: cut, refuse)"},
      {"{start: now}", R"("now" is none of: auto, beginning, end)"},
      {"{istio_access_logs: {}}", R"(did you mean "istio_access_log"?)"},
      {"istio_access_log: {label: [protocol]}", R"(did you mean "labels"?)"},
      {"istio_access_log: {formats: []}", "no format is left"},
      {"istio_access_log: {formats: [text]}",
       R"("text": the format has no operator; a format is default, json, or)"},
      {"istio_access_log: {formats: ['%A%%B%']}", "could not be told apart"},
      {"istio_access_log: {labels: [http.code]}", R"("http.code" is not a valid label name)"},
      {"istio_access_log: {labels: {protocol: __p}}",
       R"("__p": names beginning with __ are reserved)"},
      {"istio_access_log: {labels: {protocol: stream}}",
       R"("stream" is set by the forwarder itself)"},
      {"istio_access_log: {labels: {protocol: a, method: a}}", R"("a" is given twice)"},
      {"istio_access_log: {labels: protocol}", "expected a list"},
      {"istio_access_log: {formats: [default], labels: [respons_code]}",
       R"(istio_access_log.labels: no format has a field "respons_code"; did you mean "response_code"?)"},
      {"istio_access_log: {formats: ['%DURATION%'], structured_metadata: [path]}",
       R"(no format has a field "path")"},
      {"istio_access_log: {formats: [default]}\nrules: [{action: drop, field: nothing}]",
       R"(f.yaml:2: rules[0].field: no format has a field "nothing")"},
      {"rules: [{field: method}]", "rules[0].action: a rule needs one"},
      {"rules: [{action: dropp}]", R"("dropp" is none of: keep, drop, sample)"},
      {"rules: [{action: drop, field: method, regex: '('}]", "rules[0].regex: invalid regex"},
      {"rules: [{action: drop, regex: 'a'}]", "a regex needs the field"},
      {"rules: [{action: drop, rate: 0.1}]", "only a sample has a rate"},
      {"rules: [{action: sample}]", "a sample needs its rate"},
      {"rules: [{action: sample, rate: 1.5}]", R"("1.5" is not a number from 0 to 1)"},
      {"rules: [{action: sample, rate: -0.1}]", "is not a number from 0 to 1"},
      {"rules: [{action: sample, rate: nan}]", "is not a number from 0 to 1"},
      {"rules: [{action: sample, rate: ten}]", "is not a number from 0 to 1"},
      {"rules: [{action: keep, fields: method}]", R"(did you mean "field"?)"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(std::string(ReadFrom(row.yaml).status.message()), HasSubstr(row.want)) << row.yaml;
  }
}

TEST(LogLineConfig, AllErrorsAtOnce) {
  const Read read = ReadFrom(
      "long_lines: x\nistio_access_log: {labels: [a-b]}\nrules: [{action: sample, rate: 2}]\n");
  for (const char* place : {"f.yaml:1:", "f.yaml:2:", "f.yaml:3:"}) {
    EXPECT_THAT(std::string(read.status.message()), HasSubstr(place));
  }
}

TEST(LogLineConfig, Warnings) {
  struct Row {
    const char* yaml;
    const char* want;
  };
  const Row rows[] = {
      {"istio_access_log: {labels: [path]}", R"("path" has too many values for a label)"},
      {"istio_access_log: {labels: [respons_code]}",
       R"(only lines of JSON can have a field "respons_code"; did you mean "response_code"?)"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(ReadFrom(row.yaml).warnings, ElementsAre(HasSubstr(row.want))) << row.yaml;
  }
  EXPECT_THAT(
      ReadFrom("istio_access_log: {labels: [request_method, protocol, response_code]}").warnings,
      IsEmpty());
}

TEST(LogLineConfig, WhatIsPrintedLoadsAgain) {
  const char* const rows[] = {
      "{}",
      "{max_line_size: 1MiB, long_lines: refuse, start: end}",
      "istio_access_log: {labels: [request_method, response_code], structured_metadata: [path]}",
      R"(istio_access_log: {formats: ["%DURATION% ${X} %RESPONSE_CODE%", json, default]})",
      R"(rules: [{action: sample, field: method, regex: "G$1|", rate: 0.1}, {action: drop}])",
      R"(rules: [{action: drop, field: method, regex: ""}])",
  };
  for (const char* yaml : rows) {
    const auto printed = [](const LogJob& job) {
      MappingWriter block;
      WriteLogLineSettings(job, &block);
      return block.ToYaml();
    };
    const std::string first = printed(Job(yaml));
    EXPECT_EQ(printed(Job(first)), first) << yaml;
  }
}

TEST(LogLineConfig, PrintsWhatIsInForce) {
  MappingWriter block;
  WriteLogLineSettings(Job(R"(
istio_access_log: {labels: [request_method]}
rules: [{action: sample, field: response_code, regex: "2..", rate: 0.25}]
)"),
                       &block);
  EXPECT_EQ(block.ToYaml(), R"(max_line_size: 256KiB
long_lines: cut
start: auto
istio_access_log:
  formats: [default, json]
  labels:
    method: request_method
rules:
  - action: sample
    field: response_code
    regex: 2..
    rate: 0.25
)");
}

}  // namespace
}  // namespace ampari
