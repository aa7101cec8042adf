// What Envoy exports of itself and of the traffic: no HELP, name{} for series without labels,
// counters first, then gauges, then histograms (names:
// istio.io/latest/docs/reference/config/metrics and Envoy's statistics reference).
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/mesh/family_table.h"
#include "bench/mesh/sidecar_body.h"

namespace ampari::bench {
namespace {

constexpr char kXds[] = "{cluster_name=\"xds-grpc\"}";

constexpr char kClusterCounters[] =
    "assignment_stale assignment_timeout_received bind_errors default_total_match_count "
    "http2_dropped_headers_with_underscores http2_header_overflow http2_headers_cb_no_stream "
    "http2_inbound_empty_frames_flood http2_inbound_priority_frames_flood "
    "http2_inbound_window_update_frames_flood http2_keepalive_timeout http2_metadata_empty_frames "
    "http2_outbound_control_flood http2_outbound_flood "
    "http2_requests_rejected_with_underscores_in_headers http2_rx_messaging_error http2_rx_reset "
    "http2_stream_refused_errors http2_trailers http2_tx_flush_timeout http2_tx_reset "
    "internal_upstream_rq_200 internal_upstream_rq_completed lb_healthy_panic "
    "lb_local_cluster_not_ok lb_recalculate_zone_structures lb_subsets_created lb_subsets_fallback "
    "lb_subsets_fallback_panic lb_subsets_removed lb_subsets_selected lb_zone_cluster_too_small "
    "lb_zone_no_capacity_left lb_zone_number_differs lb_zone_routing_all_directly "
    "lb_zone_routing_cross_zone lb_zone_routing_sampled membership_change "
    "original_dst_host_invalid retry_or_shadow_abandoned update_empty "
    "update_failure update_no_rebuild upstream_cx_close_notify "
    "upstream_cx_connect_attempts_exceeded upstream_cx_connect_fail upstream_cx_connect_timeout "
    "upstream_cx_destroy upstream_cx_destroy_local upstream_cx_destroy_local_with_active_rq "
    "upstream_cx_destroy_remote upstream_cx_destroy_remote_with_active_rq "
    "upstream_cx_destroy_with_active_rq upstream_cx_http1_total upstream_cx_http2_total "
    "upstream_cx_http3_total upstream_cx_idle_timeout upstream_cx_max_requests "
    "upstream_cx_none_healthy upstream_cx_overflow upstream_cx_pool_overflow "
    "upstream_cx_protocol_error upstream_cx_total "
    "upstream_flow_control_backed_up_total upstream_flow_control_drained_total "
    "upstream_flow_control_paused_reading_total upstream_flow_control_resumed_reading_total "
    "upstream_internal_redirect_failed_total upstream_internal_redirect_succeeded_total "
    "upstream_rq_200 upstream_rq_cancelled upstream_rq_completed upstream_rq_maintenance_mode "
    "upstream_rq_max_duration_reached upstream_rq_pending_failure_eject "
    "upstream_rq_pending_overflow upstream_rq_pending_total upstream_rq_per_try_timeout "
    "upstream_rq_retry upstream_rq_retry_backoff_exponential "
    "upstream_rq_retry_backoff_ratelimited upstream_rq_retry_limit_exceeded "
    "upstream_rq_retry_overflow upstream_rq_retry_success upstream_rq_rx_reset upstream_rq_timeout "
    "upstream_rq_total upstream_rq_tx_reset zone_us_central1_c__upstream_rq_200 "
    "zone_us_central1_c__upstream_rq_completed";
constexpr char kMovingClusterCounters[] =
    "update_attempt update_success upstream_cx_rx_bytes_total upstream_cx_tx_bytes_total";
constexpr char kOtherCounters[] =
    "cluster_manager_cds_init_fetch_timeout cluster_manager_cds_update_attempt "
    "cluster_manager_cds_update_failure cluster_manager_cds_update_rejected "
    "cluster_manager_cds_update_success cluster_manager_cluster_added "
    "cluster_manager_cluster_modified cluster_manager_cluster_removed "
    "cluster_manager_cluster_updated cluster_manager_cluster_updated_via_merge "
    "cluster_manager_update_merge_cancelled cluster_manager_update_out_of_merge_window "
    "listener_manager_lds_init_fetch_timeout listener_manager_lds_update_attempt "
    "listener_manager_lds_update_failure listener_manager_lds_update_rejected "
    "listener_manager_lds_update_success listener_manager_listener_added "
    "listener_manager_listener_create_failure listener_manager_listener_create_success "
    "listener_manager_listener_in_place_updated listener_manager_listener_modified "
    "listener_manager_listener_removed listener_manager_listener_stopped "
    "server_debug_assertion_failures server_dropped_stat_flushes server_dynamic_unknown_fields "
    "server_envoy_bug_failures server_main_thread_watchdog_mega_miss "
    "server_main_thread_watchdog_miss server_static_unknown_fields "
    "server_worker_0_watchdog_mega_miss server_worker_0_watchdog_miss "
    "server_worker_1_watchdog_mega_miss server_worker_1_watchdog_miss "
    "wasm_remote_load_cache_hits wasm_remote_load_cache_misses wasm_remote_load_fetch_failures";
constexpr char kClusterGauges[] =
    "circuit_breakers_default_cx_open circuit_breakers_default_cx_pool_open "
    "circuit_breakers_default_rq_open circuit_breakers_default_rq_pending_open "
    "circuit_breakers_default_rq_retry_open circuit_breakers_high_cx_open "
    "circuit_breakers_high_cx_pool_open circuit_breakers_high_rq_open "
    "circuit_breakers_high_rq_pending_open circuit_breakers_high_rq_retry_open "
    "http2_pending_send_bytes http2_streams_active lb_subsets_active max_host_weight "
    "membership_degraded membership_excluded membership_healthy membership_total "
    "upstream_cx_active upstream_cx_rx_bytes_buffered upstream_cx_tx_bytes_buffered "
    "upstream_rq_active upstream_rq_pending_active version";
constexpr char kOtherGauges[] =
    "cluster_manager_active_clusters cluster_manager_cds_update_time "
    "cluster_manager_warming_clusters listener_manager_lds_update_time "
    "listener_manager_total_filter_chains_draining listener_manager_total_listeners_active "
    "listener_manager_total_listeners_draining listener_manager_total_listeners_warming "
    "listener_manager_workers_started server_compilation_settings_fips_mode server_concurrency "
    "server_days_until_first_cert_expiring server_hot_restart_epoch server_live "
    "server_parent_connections server_state server_total_connections server_version";
constexpr char kMovingGauges[] =
    "server_memory_allocated server_memory_heap_size server_memory_physical_size "
    "server_stats_recent_lookups";

struct Outcome {
  const char* code;
  const char* flags;
};
constexpr std::array<Outcome, 7> kOutcomes = {{{"200", "-"},
                                               {"404", "-"},
                                               {"503", "UF,URX"},
                                               {"500", "-"},
                                               {"0", "DC"},
                                               {"429", "RL"},
                                               {"504", "UT"}}};

std::string L(const char* name, const std::string& value) {
  return absl::StrCat(name, "=\"", value, "\"");
}

std::string Principal(const std::string& name) {
  return absl::StrCat("spiffe://cluster.local/ns/default/sa/bookinfo-", name);
}

// The labels from reporter to destination_cluster, which HTTP and TCP series share, in the order of
// the wire.
std::string PeerLabels(const Pod& pod, int combination) {
  const std::string peer =
      absl::StrCat("client-", combination / static_cast<int>(kOutcomes.size()));
  const std::string host = absl::StrCat(pod.app, ".", pod.namespace_name, ".svc.cluster.local");
  return absl::StrCat(L("reporter", combination % 2 == 0 ? "destination" : "source"), ",",
                      L("source_workload", peer), ",", L("source_canonical_service", peer), ",",
                      L("source_canonical_revision", "latest"), ",",
                      L("source_workload_namespace", "default"), ",",
                      L("source_principal", Principal(peer)), ",", L("source_app", peer), ",",
                      L("source_version", ""), ",", L("source_cluster", "Kubernetes"), ",") +
         absl::StrCat(L("destination_workload", absl::StrCat(pod.app, "-", pod.version)), ",",
                      L("destination_workload_namespace", pod.namespace_name), ",",
                      L("destination_principal", Principal(pod.app)), ",",
                      L("destination_app", pod.app), ",", L("destination_version", pod.version),
                      ",", L("destination_service", host), ",",
                      L("destination_canonical_service", pod.app), ",",
                      L("destination_canonical_revision", pod.version), ",") +
         absl::StrCat(L("destination_service_name", pod.app), ",",
                      L("destination_service_namespace", pod.namespace_name), ",",
                      L("destination_cluster", "Kubernetes"));
}

std::string HttpLabels(const Pod& pod, int combination) {
  const Outcome& outcome = kOutcomes[static_cast<size_t>(combination) % kOutcomes.size()];
  return absl::StrCat(
      PeerLabels(pod, combination), ",", L("request_protocol", "http"), ",",
      L("response_code", outcome.code), ",", L("grpc_response_status", ""), ",",
      L("response_flags", outcome.flags), ",",
      L("connection_security_policy", combination % 2 == 0 ? "mutual_tls" : "unknown"));
}

std::string TcpLabels(const Pod& pod, int combination) {
  return absl::StrCat(PeerLabels(pod, combination), ",", L("request_protocol", "tcp"), ",",
                      L("response_flags", "-"), ",", L("connection_security_policy", "mutual_tls"));
}

void FillTraffic(const Pod& pod, const TrafficOptions& traffic, Exposition& out) {
  const int combinations = traffic.http_combinations + traffic.spare_combinations;
  Head("istio_requests_total", "counter", Help::kWithout, out);
  for (int i = 0; i < combinations; ++i) {
    out.Sample(absl::StrCat("istio_requests_total{", HttpLabels(pod, i), "}"), Whole(1),
               Motion::kCounter, i);
  }
  for (const char* name :
       {"istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total",
        "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"}) {
    if (traffic.tcp_combinations > 0) Head(name, "counter", Help::kWithout, out);
    for (int i = 0; i < traffic.tcp_combinations; ++i) {
      out.Sample(absl::StrCat(name, "{", TcpLabels(pod, i), "}"), Whole(1), Motion::kCounter);
    }
  }
}

void FillHistograms(const Pod& pod, const TrafficOptions& traffic, Exposition& out) {
  for (const char* name :
       {"envoy_cluster_upstream_cx_connect_ms", "envoy_cluster_upstream_cx_length_ms"}) {
    Head(name, "histogram", Help::kWithout, out);
    out.Histogram(name, "cluster_name=\"xds-grpc\"", EnvoyBounds(), true);
  }
  const int combinations = traffic.http_combinations + traffic.spare_combinations;
  for (const char* name :
       {"istio_request_bytes", "istio_request_duration_milliseconds", "istio_response_bytes"}) {
    Head(name, "histogram", Help::kWithout, out);
    for (int i = 0; i < combinations; ++i)
      out.Histogram(name, HttpLabels(pod, i), EnvoyBounds(), true, i);
  }
  for (const char* name :
       {"envoy_cluster_manager_cds_update_duration", "envoy_listener_manager_lds_update_duration",
        "envoy_server_initialization_time_ms"}) {
    Head(name, "histogram", Help::kWithout, out);
    out.Histogram(name, "", EnvoyBounds(), true);
  }
}

}  // namespace

void FillEnvoyPart(const Pod& pod, const TrafficOptions& traffic, RandomStream& random,
                   Exposition& out) {
  Families("envoy_cluster_", kClusterCounters, "counter", kXds, Help::kWithout, Motion::kConstant,
           out);
  Families("envoy_cluster_", kMovingClusterCounters, "counter", kXds, Help::kWithout,
           Motion::kCounter, out);
  for (const char* name :
       {"upstream_rq", "internal_upstream_rq", "zone_us_central1_c__upstream_rq"}) {
    Families("envoy_cluster_", name, "counter",
             "{response_code_class=\"2xx\",cluster_name=\"xds-grpc\"}", Help::kWithout,
             Motion::kConstant, out);
  }
  FillTraffic(pod, traffic, out);
  Families("envoy_", kOtherCounters, "counter", "{}", Help::kWithout, Motion::kConstant, out);
  Families("envoy_cluster_", kClusterGauges, "gauge", kXds, Help::kWithout, Motion::kConstant, out);
  Head("envoy_cluster_manager_cds_version", "gauge", Help::kWithout, out);
  out.Sample("envoy_cluster_manager_cds_version{}", Whole(random.Next() | 1ull << 63),
             Motion::kConstant);
  Head("istio_build", "gauge", Help::kWithout, out);
  out.Sample("istio_build{component=\"proxy\",tag=\"1.30.0\"}", Whole(1), Motion::kConstant);
  Families("envoy_", kOtherGauges, "gauge", "{}", Help::kWithout, Motion::kConstant, out);
  Families("envoy_", kMovingGauges, "gauge", "{}", Help::kWithout, Motion::kGauge, out);
  Head("envoy_server_uptime", "gauge", Help::kWithout, out);
  out.Sample("envoy_server_uptime{}", Whole(1), Motion::kStep);
  FillHistograms(pod, traffic, out);
}

void FillSidecarBody(const Pod& pod, const TrafficOptions& traffic, RandomStream& random,
                     Exposition& out) {
  FillAgentPart(out);
  FillEnvoyPart(pod, traffic, random, out);
  FillApplicationPart(pod, out);
  for (int i = 0; i < traffic.spare_combinations; ++i)
    out.SetHidden(traffic.http_combinations + i, true);
}

}  // namespace ampari::bench
