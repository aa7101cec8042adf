// What the agent itself exports: families with HELP, names behind istio_agent_; and the
// application's part.
#include "absl/strings/str_cat.h"
#include "bench/mesh/family_table.h"
#include "bench/mesh/sidecar_body.h"

namespace ampari::bench {
namespace {

constexpr char kGauges[] =
    "go_memstats_alloc_bytes go_memstats_heap_alloc_bytes go_memstats_heap_idle_bytes "
    "go_memstats_heap_inuse_bytes go_memstats_heap_objects go_memstats_heap_released_bytes "
    "go_memstats_next_gc_bytes go_memstats_stack_inuse_bytes go_goroutines go_threads "
    "process_open_fds process_resident_memory_bytes";
constexpr char kStillGauges[] =
    "go_memstats_buck_hash_sys_bytes go_memstats_gc_sys_bytes go_memstats_heap_sys_bytes "
    "go_memstats_mcache_inuse_bytes go_memstats_mcache_sys_bytes go_memstats_mspan_inuse_bytes "
    "go_memstats_mspan_sys_bytes go_memstats_other_sys_bytes go_memstats_stack_sys_bytes "
    "go_memstats_sys_bytes process_max_fds process_virtual_memory_bytes "
    "process_virtual_memory_max_bytes pilot_conflict_inbound_listener "
    "pilot_conflict_outbound_listener_tcp_over_current_tcp pilot_destrule_subsets "
    "pilot_duplicate_envoy_clusters pilot_eds_no_instances pilot_endpoint_not_ready pilot_no_ip "
    "pilot_virt_services pilot_vservice_dup_domain endpoint_no_pod wasm_cache_entries";
constexpr char kCounters[] =
    "go_memstats_alloc_bytes_total go_memstats_frees_total go_memstats_mallocs_total";
constexpr char kStillCounters[] =
    "go_memstats_lookups_total istiod_connection_failures num_file_watcher_failures_total "
    "num_file_secret_failures_total xds_proxy_requests xds_proxy_responses";

void Real_(const char* name, const char* type, double start, Motion motion, Exposition& out) {
  Head(name, type, Help::kWith, out);
  out.Sample(name, Real(start), motion);
}

}  // namespace

void FillAgentPart(Exposition& out) {
  const std::string prefix = "istio_agent_";
  Head(prefix + "go_gc_duration_seconds", "summary", Help::kWith, out);
  for (const char* quantile : {"0", "0.25", "0.5", "0.75", "1"}) {
    out.Sample(absl::StrCat(prefix, "go_gc_duration_seconds{quantile=\"", quantile, "\"}"),
               Real(7.754e-05), Motion::kConstant);
  }
  out.Sample(prefix + "go_gc_duration_seconds_sum", Real(0.001779291), Motion::kCounter);
  out.Sample(prefix + "go_gc_duration_seconds_count", Whole(13), Motion::kCounter);
  Head(prefix + "go_info", "gauge", Help::kWith, out);
  out.Sample(prefix + "go_info{version=\"go1.26.0\"}", Whole(1), Motion::kConstant);
  Families(prefix, kGauges, "gauge", "", Help::kWith, Motion::kGauge, out);
  Families(prefix, kStillGauges, "gauge", "", Help::kWith, Motion::kConstant, out);
  Families(prefix, kCounters, "counter", "", Help::kWith, Motion::kCounter, out);
  Families(prefix, kStillCounters, "counter", "", Help::kWith, Motion::kConstant, out);
  Real_("istio_agent_go_memstats_gc_cpu_fraction", "gauge", 1.897816015534054e-05,
        Motion::kConstant, out);
  Real_("istio_agent_go_memstats_last_gc_time_seconds", "gauge", 1.6367444055020077e+09,
        Motion::kConstant, out);
  Real_("istio_agent_process_cpu_seconds_total", "counter", 2.31, Motion::kCounter, out);
  Real_("istio_agent_process_start_time_seconds", "gauge", 1.63674428e+09, Motion::kConstant, out);
  Real_("istio_agent_startup_duration_seconds", "gauge", 1.021, Motion::kConstant, out);
  Head(prefix + "pilot_xds", "gauge", Help::kWith, out);
  out.Sample(prefix + "pilot_xds{version=\"1.30.0\"}", Whole(1), Motion::kConstant);
  Head(prefix + "pilot_xds_pushes", "counter", Help::kWith, out);
  out.Sample(prefix + "pilot_xds_pushes{type=\"sds\"}", Whole(4), Motion::kConstant);
  Head(prefix + "pilot_xds_push_time", "histogram", Help::kWith, out);
  out.Histogram(prefix + "pilot_xds_push_time", "type=\"sds\"",
                {"0.01", "0.1", "0.5", "1", "3", "5", "10", "20", "30", "+Inf"}, false);
  Head(prefix + "pilot_xds_config_size_bytes", "histogram", Help::kWith, out);
  out.Histogram(prefix + "pilot_xds_config_size_bytes",
                "type=\"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\"",
                {"1", "10000", "1e+06", "4e+06", "1e+07", "4e+07", "+Inf"}, false);
  Head(prefix + "go_gc_heap_allocs_by_size_bytes_total", "histogram", Help::kWith, out);
  out.Histogram(prefix + "go_gc_heap_allocs_by_size_bytes_total", "",
                {"-5e-324", "8.999999999999998", "24.999999999999996", "+Inf"}, false);
  Head(prefix + "scrapes_total", "counter", Help::kWith, out);
  out.Sample(prefix + "scrapes_total", Whole(0), Motion::kStep);
}

void FillApplicationPart(const Pod& pod, Exposition& out) {
  Head("http_server_requests_total", "counter", Help::kWith, out);
  for (const char* path : {"/", "/health", "/api/v1/items", "/quote\\\"d\\\\path\\n"}) {
    for (const char* method : {"GET", "POST"}) {
      out.Sample(absl::StrCat("http_server_requests_total{method=\"", method, "\",path=\"", path,
                              "\",app=\"", pod.app, "\"}"),
                 Whole(3), Motion::kCounter);
    }
  }
  Head("jvm_memory_used_bytes", "gauge", Help::kWith, out);
  out.Sample("jvm_memory_used_bytes{area=\"heap\",}", Real(1.2345678e8), Motion::kGauge);
  out.Sample("jvm_memory_used_bytes{area=\"nonheap\",}", Real(5.4e7), Motion::kConstant);
  // The application exports a family that Envoy has too: a second TYPE line of one name.
  Head("envoy_server_live", "gauge", Help::kWithout, out);
  out.Sample("envoy_server_live{role=\"application\"}", Whole(1), Motion::kConstant);
}

}  // namespace ampari::bench
