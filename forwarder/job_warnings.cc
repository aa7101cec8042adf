// What loads, but would not do what it seems to.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "forwarder/scrape_job_config.h"

namespace ampari {
namespace {

constexpr char kScrapeAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_scrape";
constexpr char kPortAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_port";
constexpr char kPathAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_path";
constexpr char kPortRule[] =
    "{source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, "
    "__meta_kubernetes_pod_ip], regex: "
    "'(\\d+);((([0-9]+?)(\\.|$)){4})', replacement: '$2:$1', target_label: __address__}";
constexpr char kPathRule[] =
    "{source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], regex: (.+), "
    "target_label: "
    "__metrics_path__}";

bool ReadsLabel(const RelabelRule& rule, const std::string& label) {
  return std::find(rule.source_labels.begin(), rule.source_labels.end(), label) !=
         rule.source_labels.end();
}

bool Sets(const std::vector<RelabelRule>& rules, const std::string& target,
          const std::string& source) {
  return std::any_of(rules.begin(), rules.end(), [&](const RelabelRule& rule) {
    return rule.target_label == target && ReadsLabel(rule, source);
  });
}

// Pods are kept by their annotation, but where to scrape is not taken from it.
void WarnAboutAnnotations(MappingReader& block, const std::vector<RelabelRule>& rules) {
  const bool kept = std::any_of(rules.begin(), rules.end(), [](const RelabelRule& rule) {
    return rule.action == RelabelAction::kKeep && ReadsLabel(rule, kScrapeAnnotation);
  });
  if (!kept) return;
  if (!Sets(rules, "__address__", kPortAnnotation)) {
    block.Warning(
        "relabel_configs",
        absl::StrCat("keeps pods by the annotation prometheus.io/scrape but scrapes every "
                     "declared port instead of prometheus.io/port; add ",
                     kPortRule));
  }
  if (!Sets(rules, "__metrics_path__", kPathAnnotation)) {
    block.Warning("relabel_configs",
                  absl::StrCat("keeps pods by the annotation prometheus.io/scrape but scrapes ",
                               "metrics_path instead of prometheus.io/path; add ", kPathRule));
  }
}

}  // namespace

void WarnAboutJob(MappingReader& block, const ScrapeJobConfig& config) {
  WarnAboutAnnotations(block, config.relabel_rules);
  if (config.static_groups.empty() && config.file_discoveries.empty()) {
    block.Warning("", "the job has no targets; add static_configs or file_sd_configs");
  }
  if (config.job->http.tls.insecure_skip_verify) {
    block.Warning("tls_config", "insecure_skip_verify: the targets' certificates are not checked");
  }
}

}  // namespace ampari
