// istiod's own metrics (names and labels: Istio's pilot, galley, citadel and injection metrics;
// counters without _total are normal there).
#include "absl/strings/str_cat.h"
#include "bench/mesh/family_table.h"
#include "bench/mesh/sidecar_body.h"

namespace ampari::bench {
namespace {

constexpr char kGauges[] =
    "pilot_services pilot_virt_services pilot_no_ip pilot_endpoint_not_ready "
    "pilot_eds_no_instances "
    "pilot_dns_cluster_without_endpoints pilot_duplicate_envoy_clusters pilot_destrule_subsets "
    "pilot_vservice_dup_domain pilot_conflict_inbound_listener "
    "pilot_conflict_outbound_listener_tcp_over_current_tcp endpoint_no_pod "
    "pilot_k8s_endpoints_pending_pod xds_cache_size xds_cache_dependent_config_size "
    "citadel_server_root_cert_expiry_timestamp citadel_server_cert_chain_expiry_timestamp "
    "pilot_xds_recv_max";
constexpr char kCounters[] =
    "pilot_xds_write_timeout pilot_total_xds_internal_errors pilot_sds_certificate_errors_total "
    "pilot_k8s_endpoints_with_no_pods pilot_jwks_resolver_network_fetch_success_total "
    "pilot_jwks_resolver_network_fetch_fail_total provider_lookup_cluster_failures "
    "galley_validation_config_updates galley_validation_config_load_error "
    "citadel_server_authentication_failure_count citadel_server_csr_parsing_err_count "
    "sidecar_injection_failure_total sidecar_injection_skip_total";
constexpr char kMovingCounters[] =
    "citadel_server_csr_count citadel_server_success_cert_issuance_count "
    "sidecar_injection_requests_total sidecar_injection_success_total";
constexpr char kMovingGauges[] =
    "go_goroutines go_memstats_alloc_bytes process_resident_memory_bytes";

void Labelled(const char* name, const char* type, const char* label,
              const std::vector<const char*>& values, Motion motion, Exposition& out) {
  Head(name, type, Help::kWith, out);
  for (const char* value : values) {
    out.Sample(absl::StrCat(name, "{", label, "=\"", value, "\"}"), Whole(2), motion);
  }
}

void Timed(const char* name, const char* labels, const std::vector<std::string_view>& bounds,
           Exposition& out) {
  Head(name, "histogram", Help::kWith, out);
  out.Histogram(name, labels, bounds, false);
}

}  // namespace

void FillIstiodBody(Exposition& out) {
  Families("", kGauges, "gauge", "", Help::kWith, Motion::kConstant, out);
  Families("", kCounters, "counter", "", Help::kWith, Motion::kConstant, out);
  Families("", kMovingCounters, "counter", "", Help::kWith, Motion::kCounter, out);
  Families("", kMovingGauges, "gauge", "", Help::kWith, Motion::kGauge, out);
  Labelled("pilot_xds_pushes", "counter", "type",
           {"cds", "eds", "lds", "rds", "sds", "nds", "cds_senderr"}, Motion::kCounter, out);
  Labelled("pilot_push_triggers", "counter", "type", {"endpoint", "config", "service", "proxy"},
           Motion::kCounter, out);
  Labelled("pilot_inbound_updates", "counter", "type", {"config", "eds", "svc", "svcdelete"},
           Motion::kCounter, out);
  Labelled("pilot_xds", "gauge", "version", {"1.30.0"}, Motion::kGauge, out);
  Labelled("pilot_info", "gauge", "version", {"1.30.0-Clean"}, Motion::kConstant, out);
  Labelled("istiod_managed_clusters", "gauge", "cluster_type", {"local", "remote"},
           Motion::kConstant, out);
  const std::vector<std::string_view> seconds = {"0.1", "0.5", "1",  "3",   "5",
                                                 "10",  "20",  "30", "+Inf"};
  for (const char* type : {"type=\"cds\"", "type=\"eds\"", "type=\"lds\"", "type=\"rds\""}) {
    if (std::string_view(type) == "type=\"cds\"")
      Head("pilot_xds_push_time", "histogram", Help::kWith, out);
    out.Histogram("pilot_xds_push_time", type,
                  {"0.01", "0.1", "0.5", "1", "3", "5", "10", "20", "30", "+Inf"}, false);
  }
  Timed("pilot_xds_send_time", "", {"0.01", "0.1", "1", "3", "5", "10", "20", "30", "+Inf"}, out);
  Timed("pilot_proxy_convergence_time", "", seconds, out);
  Timed("pilot_proxy_queue_time", "", seconds, out);
  Timed("pilot_debounce_time", "", seconds, out);
  Timed("pilot_pushcontext_init_seconds", "", {"0.01", "0.1", "0.5", "1", "3", "5", "+Inf"}, out);
  Timed("pilot_xds_config_size_bytes",
        "type=\"type.googleapis.com/envoy.config.cluster.v3.Cluster\"",
        {"1", "10000", "1e+06", "4e+06", "1e+07", "4e+07", "+Inf"}, out);
  Timed("sidecar_injection_time_seconds", "",
        {"0.1", "1", "3", "5", "10", "20", "30", "60", "+Inf"}, out);
  Head("istio_build", "gauge", Help::kWith, out);
  out.Sample("istio_build{component=\"pilot\",tag=\"1.30.0\"}", Whole(1), Motion::kConstant);
  Head("istiod_uptime_seconds", "gauge", Help::kWith, out);
  out.Sample("istiod_uptime_seconds", Whole(1), Motion::kStep);
}

}  // namespace ampari::bench
