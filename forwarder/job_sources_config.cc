#include "forwarder/job_sources_config.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/relabel_block.h"
#include "common/labels/quote.h"
#include "forwarder/kubernetes_discovery_config.h"

namespace ampari {
namespace {

constexpr const char* kUnsupportedDiscoveries[] = {
    "aws_sd_configs",          "azure_sd_configs",     "consul_sd_configs",
    "digitalocean_sd_configs", "dns_sd_configs",       "docker_sd_configs",
    "dockerswarm_sd_configs",  "ec2_sd_configs",       "ecs_sd_configs",
    "elasticache_sd_configs",  "eureka_sd_configs",    "gce_sd_configs",
    "hetzner_sd_configs",      "http_sd_configs",      "ionos_sd_configs",
    "kuma_sd_configs",         "lightsail_sd_configs", "linode_sd_configs",
    "marathon_sd_configs",     "msk_sd_configs",       "nerve_sd_configs",
    "nomad_sd_configs",        "openstack_sd_configs", "ovhcloud_sd_configs",
    "puppetdb_sd_configs",     "rds_sd_configs",       "scaleway_sd_configs",
    "serverset_sd_configs",    "stackit_sd_configs",   "triton_sd_configs",
    "uyuni_sd_configs",        "vultr_sd_configs",     "xds_sd_configs",
};

void RefuseUnsupportedDiscoveries(MappingReader& job) {
  for (const char* key : kUnsupportedDiscoveries) {
    const YamlNode* value = job.Take(key);
    const bool empty =
        value == nullptr || (value->kind == YamlNode::Kind::kSequence && value->items.empty());
    if (!empty) job.Unsupported(key, "not supported; use file_sd_configs");
  }
}

void CheckAddresses(MappingReader& group, const std::vector<std::string>& targets) {
  for (const std::string& target : targets) {
    if (target.find('/') == std::string::npos) continue;
    group.Error("targets",
                absl::StrCat(Quoted(target), " is not a valid hostname; write host:port"));
  }
}

void ReadStaticGroups(MappingReader& job, StaticTargets targets, JobSources* sources) {
  for (MappingReader& block : job.Children("static_configs")) {
    TargetGroup group;
    group.source = "static";
    block.Texts("targets", &group.targets);
    block.LabelSet("labels", &group.labels);
    block.Finish();
    if (targets == StaticTargets::kAddresses) CheckAddresses(block, group.targets);
    if (targets == StaticTargets::kThisHost && !block.Has("targets")) group.targets = {"localhost"};
    sources->static_groups.push_back(std::move(group));
  }
}

// As Prometheus: a wild card in the last element of the path only.
bool IsTargetFilePattern(const std::string& path) {
  const size_t dot = path.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : path.substr(dot);
  constexpr const char* kExtensions[] = {".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"};
  if (std::find(std::begin(kExtensions), std::end(kExtensions), extension) == std::end(kExtensions))
    return false;
  const size_t star = path.find('*');
  return star == std::string::npos || path.find_first_of("*/", star + 1) == std::string::npos;
}

void ReadFileDiscoveries(MappingReader& job, JobSources* sources) {
  for (MappingReader& block : job.Children("file_sd_configs")) {
    FileDiscoveryConfig discovery;
    block.Texts("files", &discovery.files);
    block.Duration("refresh_interval", &discovery.refresh_interval);
    block.Finish();
    if (block.present() && discovery.files.empty()) {
      block.Error("files", "file discovery needs at least one file");
    }
    if (discovery.refresh_interval <= absl::ZeroDuration()) {
      block.Error("refresh_interval", "must be greater than 0");
    }
    for (std::string& path : discovery.files) {
      if (!IsTargetFilePattern(path)) {
        block.Error("files", absl::StrCat(Quoted(path),
                                          " is not valid for file discovery; end it in .json, .yml "
                                          "or .yaml, with * in its last element only"));
      }
      path = block.file().Resolve(path);
    }
    sources->file_discoveries.push_back(std::move(discovery));
  }
}

}  // namespace

void ReadJobSources(MappingReader& job, StaticTargets targets, JobSources* sources) {
  ReadStaticGroups(job, targets, sources);
  ReadFileDiscoveries(job, sources);
  sources->kubernetes_discoveries = ReadKubernetesDiscoveries(job);
  RefuseUnsupportedDiscoveries(job);
}

void WriteJobSources(const JobSources& sources, MappingWriter* job) {
  std::vector<MappingWriter> groups, files, kubernetes;
  for (const TargetGroup& group : sources.static_groups) {
    groups.emplace_back().Texts("targets", group.targets).LabelSet("labels", group.labels);
  }
  for (const FileDiscoveryConfig& discovery : sources.file_discoveries) {
    files.emplace_back()
        .Texts("files", discovery.files)
        .Duration("refresh_interval", discovery.refresh_interval);
  }
  for (const KubernetesDiscoveryConfig& discovery : sources.kubernetes_discoveries) {
    kubernetes.push_back(KubernetesDiscoveryBlock(discovery));
  }
  job->Children("static_configs", std::move(groups))
      .Children("file_sd_configs", std::move(files))
      .Children("kubernetes_sd_configs", std::move(kubernetes));
}

void WarnAboutSources(MappingReader& job, const JobSources& sources) {
  if (sources.none()) {
    job.Warning("",
                "the job has no targets; add kubernetes_sd_configs, static_configs or "
                "file_sd_configs");
  }
  for (const KubernetesDiscoveryConfig& discovery : sources.kubernetes_discoveries) {
    if (discovery.http.tls.insecure_skip_verify) {
      job.Warning("kubernetes_sd_configs",
                  "insecure_skip_verify: the API server's certificate is not checked");
    }
  }
}

Relabeler ReadRelabeler(MappingReader& job, const char* key, std::vector<RelabelRule>* rules) {
  *rules = ReadRelabelRules(job, key);
  absl::StatusOr<Relabeler> relabeler = Relabeler::Compile(*rules);
  return relabeler.ok() ? *std::move(relabeler)
                        : Relabeler();  // what is wrong was reported per rule
}

std::string RulesToPaste(MappingReader& job, std::span<const char* const> rules) {
  const YamlNode* list = job.Take("relabel_configs");
  if (list == nullptr) {
    return absl::StrCat("; add relabel_configs: [", absl::StrJoin(rules, ", "), "]");
  }
  if (list->flow) return absl::StrCat("; add within its brackets: ", absl::StrJoin(rules, ", "));
  std::string text = "; add below its last line:";
  const std::string indent(static_cast<size_t>(list->column), ' ');
  for (const char* rule : rules) absl::StrAppend(&text, "\n", indent, "- ", rule);
  return text;
}

}  // namespace ampari
