// What loads, but would not do what it seems to.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "forwarder/job_sources_config.h"
#include "forwarder/scrape_job_config.h"

namespace ampari {
namespace {

constexpr char kScrapeAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_scrape";
constexpr char kPortAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_port";
constexpr char kPathAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_path";
// As Istio's sample configuration has them, for IPv4 and IPv6 pods.
constexpr const char* kPortRules[] = {
    R"({source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, )"
    R"(__meta_kubernetes_pod_ip], regex: '(\d+);((([0-9]+?)(\.|$)){4})', )"
    R"(replacement: '$2:$1', target_label: __address__})",
    R"({source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, )"
    R"(__meta_kubernetes_pod_ip], regex: '(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})', )"
    R"(replacement: '[$2]:$1', target_label: __address__})"};
constexpr const char* kPathRules[] = {
    R"({source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], regex: '(.+)', )"
    R"(target_label: __metrics_path__})"};

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
                     "declared port instead of prometheus.io/port",
                     RulesToPaste(block, kPortRules)));
  }
  if (!Sets(rules, "__metrics_path__", kPathAnnotation)) {
    block.Warning("relabel_configs",
                  absl::StrCat("keeps pods by the annotation prometheus.io/scrape but scrapes ",
                               "metrics_path instead of prometheus.io/path",
                               RulesToPaste(block, kPathRules)));
  }
}

}  // namespace

void WarnAboutJob(MappingReader& block, const ScrapeJobConfig& config) {
  WarnAboutAnnotations(block, config.relabel_rules);
  WarnAboutSources(block, config);
  if (config.job->http.tls.insecure_skip_verify) {
    block.Warning("tls_config", "insecure_skip_verify: the targets' certificates are not checked");
  }
}

}  // namespace ampari
