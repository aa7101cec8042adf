#include <string>
#include <utility>

#include "forwarder/kubernetes_metrics.h"
#include "forwarder/metric_families.h"
#include "forwarder/status.h"

namespace ampari {
namespace {

double Number(uint64_t count) { return static_cast<double>(count); }

void AddTargets(const ForwarderView& view, MetricFamilies& out) {
  const ScrapeLoopStatus& scraping = view.scraping;
  out.Labelled("targets", "Targets by the result of their last scrape.", MetricKind::kGauge,
               "health",
               {{"up", Number(scraping.up)},
                {"down", Number(scraping.down)},
                {"unknown", Number(scraping.unknown)}});
  out.Count("targets_dropped", "Targets left out by relabelling or because they are invalid.",
            view.dropped.total);
  uint64_t broken = 0;
  for (const DiscoveredFile& file : view.files) broken += file.status.error.empty() ? 0 : 1;
  out.Gauge("discovery_files_failed",
            "Target files whose newest content cannot be used; their last good one is in force.",
            Number(broken));
  out.Count("series", "Series that all targets have now.", scraping.series);
  out.Count("target_memory_bytes", "Memory of what is remembered of all targets.",
            scraping.memory_bytes);
}

void AddScraping(const ScrapeLoopStatus& scraping, MetricFamilies& out) {
  const ScrapeTotals& totals = scraping.totals;
  out.Counter("scrapes_total", "Scrapes finished.", totals.scrapes);
  std::vector<std::pair<std::string, double>> failures;
  for (size_t i = 1; i < kScrapeFailures; ++i) {
    failures.emplace_back(FailureName(static_cast<ScrapeFailure>(i)), Number(totals.failures[i]));
  }
  out.Labelled("scrape_failures_total", "Scrapes that failed, by reason.", MetricKind::kCounter,
               "reason", failures);
  out.Counter("scrapes_skipped_total",
              "Scrapes left out because the one before was still being parsed.",
              scraping.skipped_ticks);
  out.Counter("scrape_pauses_total", "Times a transfer waited for the parser.", scraping.pauses);
  out.Counter("scrape_body_bytes_total", "Bytes of the bodies scraped, uncompressed.",
              totals.body_bytes);
  out.Counter("samples_scraped_total", "Samples scraped, before relabelling.",
              totals.samples_scraped);
  out.Counter("samples_shipped_total",
              "Samples handed on, with report series and staleness markers.",
              totals.samples_shipped);
  out.Labelled("samples_dropped_total", "Samples scraped and then dropped, by reason.",
               MetricKind::kCounter, "reason",
               {{"duplicate", Number(totals.duplicates)},
                {"out_of_order", Number(totals.out_of_order)},
                {"out_of_bounds", Number(totals.out_of_bounds)}});
  out.Counter("exemplars_dropped_total", "Exemplars parsed and dropped.", totals.exemplars_dropped);
  out.Counter("series_added_total", "Series seen for the first time.", totals.series_added);
  out.Labelled("series_recognized_total",
               "Series in bodies, by how they were recognised: predicted from the order of the "
               "last body, looked up in the table, or parsed.",
               MetricKind::kCounter, "path",
               {{"predicted", Number(totals.predicted)},
                {"looked_up", Number(totals.looked_up)},
                {"parsed", Number(totals.parsed)}});
  out.Counter("targets_ended_total", "Targets that are gone and whose series were ended.",
              totals.end_of_runs);
  out.Labelled("clock_steps_back_total",
               "Backward steps of the wall clock: small ones are slowed down to, large ones are "
               "followed.",
               MetricKind::kCounter, "size",
               {{"small", Number(scraping.clock_small_steps)},
                {"large", Number(scraping.clock_large_steps)}});
}

void AddRing(const ShippingStatus& shipping, MetricFamilies& out) {
  out.Count("ring_frames", "Frames in the ring.", shipping.ring_frames);
  out.Count("ring_bytes", "Bytes of the frames in the ring.", shipping.ring_bytes);
  out.Count("ring_samples", "Samples of the frames in the ring.", shipping.ring_samples);
  out.Count("ring_unacknowledged_bytes",
            "Bytes of the frames in the ring that the gateway has not acknowledged.",
            shipping.ring_unacknowledged_bytes);
  out.Count("ring_max_bytes", "The configured bound of the ring.", shipping.ring_max_bytes);
  out.Count("registration_bytes", "Bytes of registrations kept for the gateway.",
            shipping.registration_bytes);
  out.Counter(
      "unsendable_registrations_total",
      "Series and layouts that were not sent, since one alone is larger than the gateway takes.",
      shipping.unsendable_registrations_total);
  out.Counter("frames_total", "Frames built.", shipping.frames_total);
  out.Counter("frame_bytes_total", "Bytes of the frames built.", shipping.frame_bytes_total);
  out.Counter("samples_total", "Samples in the frames built.", shipping.samples_total);
  out.Counter("expired_frames_total", "Frames lost because the ring was full.",
              shipping.expired_frames_total);
  out.Counter("expired_samples_total", "Samples lost because the ring was full.",
              shipping.expired_samples_total);
}

void AddConnection(const ShippingStatus& shipping, MetricFamilies& out) {
  out.Flag("gateway_connected", "1 while the stream to the gateway is established.",
           shipping.connected);
  AddGatewayMoves(shipping, out);
  out.Flag("gateway_refused", "1 while the gateway has nowhere to deliver metrics of this tenant.",
           shipping.refused);
  out.Flag("gateway_paused", "1 while the gateway takes no new frames.", shipping.paused);
  out.Flag("superseded", "1 while a newer instance of this forwarder lives.", shipping.superseded);
  out.Counter("superseded_total", "Times that a newer instance took this one's place.",
              shipping.superseded_total);
  out.Count("sequence_last", "Sequence number of the newest frame.", shipping.last_sequence);
  out.Count("sequence_sent", "Sequence number of the newest frame sent.", shipping.sent_sequence);
  out.Count("sequence_acknowledged", "Sequence number up to which the gateway has all frames.",
            shipping.acknowledged_sequence);
  out.Count("sequence_settled", "Sequence number up to which all frames are settled everywhere.",
            shipping.settled_sequence);
  out.Counter("connects_total", "Streams to the gateway that were welcomed.",
              shipping.connects_total);
  out.Counter("resent_frames_total", "Frames sent again after a reconnect.",
              shipping.resent_frames_total);
  out.Counter("refused_frames_total", "Frames that the gateway refused.",
              shipping.refused_frames_total);
  out.Counter("gateway_rollbacks_total",
              "Times that the gateway had lost what it had acknowledged.",
              shipping.rollbacks_total);
  out.Counter("instances_total", "Identities that this process has had.", shipping.instances_total);
}

void AddReload(const ReloadStatus& reload, MetricFamilies& out) {
  out.Flag("config_last_reload_successful", "1 when the newest configuration was taken over.",
           reload.successful);
  out.Gauge("config_last_reload_success_timestamp_seconds",
            "When a configuration was last taken over.",
            absl::ToDoubleSeconds(reload.last_success - absl::UnixEpoch()));
  out.Counter("config_reloads_total", "Attempts to take over a configuration.", reload.attempts);
  out.Counter("config_reload_failures_total", "Attempts that failed.", reload.failures);
}

}  // namespace

void AppendForwarderMetrics(const ForwarderView& view, std::vector<MetricFamily>& families) {
  MetricFamilies out("ampari_forwarder_", families);
  AddTargets(view, out);
  AddScraping(view.scraping, out);
  AddRing(view.shipping, out);
  if (view.ships_metrics) AddConnection(view.shipping, out);
  AddReload(view.reload, out);
  AppendKubernetesMetrics(view.pod_watches, families);
  AppendLogMetrics(view.logs, families);
}

}  // namespace ampari
