#include "forwarder/log_job_config.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "forwarder/job_sources_config.h"
#include "forwarder/log_line_config.h"

namespace ampari {
namespace {

constexpr char kPath[] = "__path__";
constexpr char kExcludedPath[] = "__path_exclude__";
// Kubelet's layout; the directory's name ends in the pod's uid.
constexpr const char* kPathRules[] = {
    "{source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name], "
    "separator: /, target_label: __path__, replacement: '/var/log/pods/*$1/*.log'}"};

bool MaySet(const std::vector<RelabelRule>& rules, const char* label) {
  return std::any_of(rules.begin(), rules.end(), [&](const RelabelRule& rule) {
    return rule.target_label == label || rule.action == RelabelAction::kLabelMap;
  });
}

void WarnAboutPaths(MappingReader& block, const LogJobConfig& config) {
  if (MaySet(config.relabel_rules, kPath)) return;
  if (!config.kubernetes_discoveries.empty()) {
    block.Warning(
        config.relabel_rules.empty() ? "kubernetes_sd_configs" : "relabel_configs",
        absl::StrCat("no rule sets __path__, so no file is read", RulesToPaste(block, kPathRules)));
  }
  for (const TargetGroup& group : config.static_groups) {
    if (group.labels.Has(kPath)) continue;
    block.Warning("static_configs",
                  "a group has no label __path__, so no file is read; add it to its labels");
  }
}

// The uid and the container's name are two elements of the path.
void WarnAboutSeparators(MappingReader& block, const std::vector<RelabelRule>& rules) {
  for (const RelabelRule& rule : rules) {
    if (rule.target_label != kPath || rule.source_labels.size() < 2 || rule.has_regex) continue;
    if (rule.separator.find('/') != std::string::npos) continue;
    block.Warning("relabel_configs",
                  absl::StrCat("the rule of __path__ joins its source labels "
                               "with ",
                               Quoted(rule.separator), "; a path needs separator: /"));
  }
}

void WarnAboutExclusions(MappingReader& block, const LogJobConfig& config) {
  const bool in_groups =
      std::any_of(config.static_groups.begin(), config.static_groups.end(),
                  [](const TargetGroup& group) { return group.labels.Has(kExcludedPath); });
  const bool in_rules =
      std::any_of(config.relabel_rules.begin(), config.relabel_rules.end(),
                  [](const RelabelRule& rule) { return rule.target_label == kExcludedPath; });
  if (!in_groups && !in_rules) return;
  block.Warning(in_rules ? "relabel_configs" : "static_configs",
                "__path_exclude__ is not supported: every file that __path__ names is read");
}

LogJobConfig ReadLogJob(MappingReader& block) {
  LogJobConfig config;
  auto job = std::make_shared<LogJob>();
  block.Text("job_name", &job->job_name);
  if (job->job_name.empty())
    block.Error("job_name", "job_name is empty; every log_config needs one");
  job->relabel = ReadRelabeler(block, "relabel_configs", &config.relabel_rules);
  ReadJobSources(block, StaticTargets::kThisHost, &config);
  ReadLogLineSettings(block, job.get());
  block.Finish();
  config.job = std::move(job);
  return config;
}

void WarnAboutLogJob(MappingReader& block, const LogJobConfig& config) {
  WarnAboutSources(block, config);
  WarnAboutPaths(block, config);
  WarnAboutSeparators(block, config.relabel_rules);
  WarnAboutExclusions(block, config);
}

}  // namespace

void ReadLogJobs(MappingReader& root, const ForwarderConfigOptions& options,
                 std::vector<LogJobConfig>* jobs) {
  std::map<std::string, int> lines;
  for (MappingReader& block : root.Children("log_configs")) {
    if (!block.present()) continue;
    const ConfigFile::Mark mark = block.file().mark();
    LogJobConfig config = ReadLogJob(block);
    const std::string& name = config.job->job_name;
    const auto [first, inserted] = lines.emplace(name, block.line());
    if (!inserted && !name.empty()) {
      block.Error("job_name",
                  absl::StrCat("found multiple log configs with job name ", Quoted(name),
                               ", first in line ", first->second, "; rename one"));
    }
    if (options.skip_unsupported_jobs &&
        block.file().LeaveOut(mark, block.line(), absl::StrCat("log job ", Quoted(name)))) {
      continue;
    }
    WarnAboutLogJob(block, config);
    jobs->push_back(std::move(config));
  }
}

std::vector<MappingWriter> LogJobBlocks(const std::vector<LogJobConfig>& jobs) {
  std::vector<MappingWriter> blocks;
  for (const LogJobConfig& config : jobs) {
    MappingWriter& block = blocks.emplace_back();
    block.Text("job_name", config.job->job_name);
    WriteJobSources(config, &block);
    block.RelabelRules("relabel_configs", config.relabel_rules);
    WriteLogLineSettings(*config.job, &block);
  }
  return blocks;
}

}  // namespace ampari
