// log_configs: jobs, what is refused and what is warned of.
#include "forwarder/log_job_config.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPathRule[] =
    "{source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name], "
    "separator: /, target_label: __path__, replacement: '/var/log/pods/*$1/*.log'}";

struct ReadJobs {
  std::vector<LogJobConfig> jobs;
  absl::Status status;
  std::vector<std::string> warnings;
};

ReadJobs Read(const std::string& section, bool skip = false) {
  ConfigFile file("log_configs:\n" + section, "f.yaml");
  ReadJobs read;
  MappingReader root(file);
  ReadLogJobs(root, {skip}, &read.jobs);
  root.Finish();
  read.status = file.status();
  read.warnings = file.warnings();
  return read;
}

TEST(LogJobConfigTest, TheDocumentedJob) {
  const ReadJobs read = Read(R"(
  - job_name: integrations/istio
    kubernetes_sd_configs: [{role: pod}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
      - )" + std::string(kPathRule) +
                             "\n");
  ASSERT_THAT(read.status, IsOk());
  EXPECT_THAT(read.warnings, IsEmpty());
  ASSERT_EQ(read.jobs.size(), 1u);
  EXPECT_EQ(read.jobs[0].job->job_name, "integrations/istio");
  EXPECT_EQ(read.jobs[0].kubernetes_discoveries.size(), 1u);
  EXPECT_EQ(read.jobs[0].relabel_rules.size(), 2u);
  EXPECT_FALSE(read.jobs[0].job->relabel.empty());
}

TEST(LogJobConfigTest, AStaticGroupNeedsNoTargets) {
  const ReadJobs read = Read(R"(
  - job_name: a
    static_configs:
      - {labels: {__path__: /var/log/a/*.log}}
      - {targets: [localhost, other], labels: {__path__: /var/log/b/*.log}}
      - {targets: [], labels: {__path__: /var/log/c/*.log}}
)");
  ASSERT_THAT(read.status, IsOk());
  ASSERT_EQ(read.jobs.at(0).static_groups.size(), 3u);
  EXPECT_THAT(read.jobs[0].static_groups[0].targets, ElementsAre("localhost"));
  EXPECT_THAT(read.jobs[0].static_groups[1].targets, ElementsAre("localhost", "other"));
  EXPECT_THAT(read.jobs[0].static_groups[2].targets, IsEmpty());
}

TEST(LogJobConfigTest, Refuses) {
  const struct {
    const char* section;
    const char* message;
  } rows[] = {
      {"- {static_configs: []}", "f.yaml:2: log_configs[0].job_name: job_name is empty"},
      {"- {job_name: a}\n- {job_name: a}",
       "f.yaml:3: log_configs[1].job_name: found multiple log configs with job name \"a\", first "
       "in "
       "line 2"},
      {"- {job_name: a, scrape_interval: 5s}", "unknown key \"scrape_interval\""},
      {"- {job_name: a, metric_relabel_configs: []}", "did you mean \"relabel_configs\""},
      {"- {job_name: a, pipeline_stages: []}", "unknown key \"pipeline_stages\""},
      {"- {job_name: a, journal_sd_configs: []}", "unknown key \"journal_sd_configs\""},
      {"- {job_name: a, docker_sd_configs: [{host: x}]}", "docker_sd_configs: not supported"},
      {"- {job_name: a, kubernetes_sd_configs: [{role: node}]}", "role node is not supported"},
      {"- {job_name: a, file_sd_configs: [{files: [a.txt]}]}", "is not valid for file discovery"},
      {"- {job_name: a, relabel_configs: [{action: kep}]}", "unknown relabel action \"kep\""},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Read(row.section).status,
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.section;
  }
}

TEST(LogJobConfigTest, UnsupportedJobsCanBeLeftOut) {
  const ReadJobs read = Read(
      "- {job_name: a, docker_sd_configs: [{host: x}]}\n"
      "- {job_name: b, static_configs: [{labels: {__path__: /a/b}}]}\n",
      true);
  ASSERT_THAT(read.status, IsOk());
  ASSERT_EQ(read.jobs.size(), 1u);
  EXPECT_EQ(read.jobs[0].job->job_name, "b");
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("log job \"a\" is left out")));
}

TEST(LogJobConfigTest, WarnsOfWhatReadsNothing) {
  const std::string pods = "- job_name: a\n  kubernetes_sd_configs: [{role: pod}]\n";
  const std::string rule(kPathRule);
  const struct {
    std::string section;
    const char* warning;  // null: none
  } rows[] = {
      {"- {job_name: a}", "the job has no targets"},
      {"- {job_name: a, file_sd_configs: [{files: [/a.json]}]}", nullptr},  // labels may have it
      {"- {job_name: a, static_configs: [{targets: [localhost]}]}",
       "static_configs: a group has no label __path__"},
      {"- {job_name: a, static_configs: [{labels: {__path__: /a/b}}]}", nullptr},
      {"- {job_name: a, static_configs: [{labels: {__path__: /a/b, __path_exclude__: /a/c}}]}",
       "static_configs: __path_exclude__ is not supported"},
      {pods, "no rule sets __path__, so no file is read; add relabel_configs: [{source_labels"},
      {pods + "  relabel_configs: [{action: labeldrop, regex: x}]",
       "no rule sets __path__, so no file is read; add within its brackets: {source_labels"},
      {pods + "  relabel_configs:\n    - {action: labeldrop, regex: x}",
       "no file is read; add below its last line:\n    - {source_labels"},
      {pods + "  relabel_configs: [" + rule + "]", nullptr},
      {pods + "  relabel_configs: [{action: labelmap, regex: __meta_(.*)}]", nullptr},
      {pods + "  relabel_configs: [{source_labels: [a, b], target_label: __path__, "
              "replacement: '/var/log/pods/*$1/*.log'}]",
       "joins its source labels with \";\"; a path needs separator: /"},
      {pods + "  relabel_configs: [{source_labels: [a, b], regex: '(.*);(.*)', target_label: "
              "__path__, replacement: '/var/log/pods/*$1/$2/*.log'}]",
       nullptr},
      {pods + "  relabel_configs: [" + rule + ", {target_label: __path_exclude__, replacement: x}]",
       "relabel_configs: __path_exclude__ is not supported"},
  };
  for (const auto& row : rows) {
    const ReadJobs read = Read(row.section);
    EXPECT_THAT(read.status, IsOk()) << row.section;
    if (row.warning == nullptr) {
      EXPECT_THAT(read.warnings, IsEmpty()) << row.section;
    } else {
      EXPECT_THAT(read.warnings, ElementsAre(HasSubstr(row.warning))) << row.section;
    }
  }
}

TEST(LogJobConfigTest, WhatIsPrintedLoadsAgain) {
  const ReadJobs read = Read(R"(
  - job_name: a
    kubernetes_sd_configs: [{role: pod, namespaces: {names: [shop]}}]
    file_sd_configs: [{files: [/etc/t/*.json]}]
    static_configs: [{labels: {__path__: /var/log/a/*.log}}]
    relabel_configs: [)" + std::string(kPathRule) +
                             "]\n");
  ASSERT_THAT(read.status, IsOk());
  MappingWriter written;
  written.Children("log_configs", LogJobBlocks(read.jobs));
  const std::string yaml = written.ToYaml();
  const ReadJobs again = Read(yaml.substr(yaml.find('\n') + 1));
  ASSERT_THAT(again.status, IsOk()) << yaml;
  MappingWriter rewritten;
  rewritten.Children("log_configs", LogJobBlocks(again.jobs));
  EXPECT_EQ(rewritten.ToYaml(), yaml);
  EXPECT_THAT(yaml, HasSubstr("/var/log/pods/*$1/*.log"));
}

}  // namespace
}  // namespace ampari
