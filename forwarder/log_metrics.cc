#include "forwarder/log_view.h"
#include "forwarder/metric_families.h"

namespace ampari {
namespace {

void AddFiles(const LogView& view, MetricFamilies& out) {
  const LogTailStatus& tail = view.tailing;
  out.Count("targets", "Targets of log_configs: paths whose files are read.", view.targets_count);
  out.Count("targets_dropped",
            "Targets of log_configs left out by relabelling or because they name no file.",
            view.dropped.total);
  out.Count("files_open", "Log files that are open.", tail.files_open);
  out.Count("files_behind", "Log files whose oldest unread byte has waited for long.",
            tail.files_behind);
  out.Count("files_waiting",
            "Log files that are not read yet, since they have neither a whole first line nor "
            "1 KiB.",
            tail.files_waiting);
  out.Count("lag_bytes", "Bytes written to log files and not read yet.", tail.lag_bytes);
  out.Flag("blocked", "1 while nothing is read because the ring has no room.", tail.blocked);
  out.Counter("rotations_total", "Log files that were renamed and replaced by a new one.",
              tail.rotations_total);
  out.Counter("truncations_total",
              "Log files that became shorter than they were, or than what was read of them.",
              tail.truncations_total);
  out.Counter("compressed_files_total", "Compressed log files that were read for what was missed.",
              tail.compressed_files_total);
  out.Counter("files_refused_total",
              "Files that match a path and are not read: links out of the root, special files.",
              tail.refused_files_total);
  out.Counter("rereads_total", "Times that a file was read again from a position of the gateway.",
              tail.rereads_total);
}

void AddLines(const LogTailStatus& tail, MetricFamilies& out) {
  out.Counter("read_bytes_total", "Bytes of log files read.", tail.read_bytes_total);
  out.Counter("lines_total", "Lines that are shipped.", tail.lines_total);
  out.Counter("lines_filtered_total", "Lines dropped by a rule.", tail.filtered_lines_total);
  out.Counter("lines_sampled_out_total", "Lines left out by sampling.", tail.sampled_lines_total);
  out.Counter("lines_cut_total", "Lines longer than the limit whose end was cut off.",
              tail.cut_lines_total);
  out.Counter("lines_refused_total", "Lines longer than the limit that were not shipped.",
              tail.refused_lines_total);
  out.Counter("lines_unparsed_total",
              "Lines in neither the CRI nor Docker's format, shipped as they are.",
              tail.unparsed_lines_total);
  out.Counter("access_lines_unparsed_total", "Access lines that fit none of the formats.",
              tail.unparsed_access_lines_total);
  out.Counter("streams_replaced_total",
              "Lines without their promoted labels, since their target has too many streams.",
              tail.replaced_streams_total);
  out.Counter("rotated_unread_bytes_total",
              "Bytes of log files that were gone before they could be read.",
              tail.rotated_unread_bytes_total);
  out.Counter("skipped_bytes_total",
              "Bytes before the place where a file never seen before is read from.",
              tail.skipped_bytes_total);
}

void AddRing(const ShippingStatus& shipping, MetricFamilies& out) {
  out.Count("ring_frames", "Frames of logs in the ring.", shipping.ring_frames);
  out.Count("ring_bytes", "Bytes of the frames of logs in the ring.", shipping.ring_bytes);
  out.Count("ring_lines", "Lines of the frames in the ring.", shipping.ring_samples);
  out.Count("ring_unacknowledged_bytes",
            "Bytes of the frames of logs in the ring that the gateway has not acknowledged.",
            shipping.ring_unacknowledged_bytes);
  out.Count("ring_max_bytes", "The configured bound of the ring of logs.", shipping.ring_max_bytes);
  out.Counter("frames_total", "Frames of logs built.", shipping.frames_total);
  out.Counter("frame_bytes_total", "Bytes of the frames of logs built.",
              shipping.frame_bytes_total);
}

void AddConnection(const ShippingStatus& shipping, MetricFamilies& out) {
  out.Flag("gateway_connected", "1 while the stream of logs to the gateway is established.",
           shipping.connected);
  AddGatewayMoves(shipping, out);
  out.Flag("gateway_refused", "1 while the gateway has nowhere to deliver logs of this tenant.",
           shipping.refused);
  out.Flag("gateway_paused", "1 while the gateway takes no new frames of logs.", shipping.paused);
  out.Flag("superseded", "1 while a newer instance of this forwarder reads the logs.",
           shipping.superseded);
  out.Counter("superseded_total", "Times that a newer instance took over the logs.",
              shipping.superseded_total);
  out.Count("sequence_last", "Sequence number of the newest frame of logs.",
            shipping.last_sequence);
  out.Count("sequence_acknowledged",
            "Sequence number up to which the gateway has all frames of logs.",
            shipping.acknowledged_sequence);
  out.Count("sequence_settled",
            "Sequence number up to which all frames of logs are settled everywhere.",
            shipping.settled_sequence);
  out.Counter("connects_total", "Streams of logs to the gateway that were welcomed.",
              shipping.connects_total);
  out.Counter("resent_frames_total", "Frames of logs sent again after a reconnect.",
              shipping.resent_frames_total);
  out.Counter("refused_frames_total",
              "Frames of logs that the gateway refused; their files are read again.",
              shipping.refused_frames_total);
  out.Counter("gateway_rollbacks_total",
              "Times that the gateway had lost frames of logs that it had acknowledged.",
              shipping.rollbacks_total);
  out.Counter("instances_total", "Identities that the stream of logs has had.",
              shipping.instances_total);
}

}  // namespace

void AddGatewayMoves(const ShippingStatus& shipping, MetricFamilies& out) {
  const auto impatient = static_cast<double>(shipping.impatient_moves_total);
  out.Flag("gateway_moving", "1 while the gateway is about to be left for another one.",
           !shipping.moving_to.empty());
  out.Labelled("gateway_moves_total",
               "Moves to another gateway: after everything was settled at the old one, or without.",
               MetricKind::kCounter, "after",
               {{"settled", static_cast<double>(shipping.moves_total) - impatient},
                {"patience", impatient}});
}

void AppendLogMetrics(const LogView& view, std::vector<MetricFamily>& families) {
  if (!view.running) return;
  MetricFamilies out("ampari_forwarder_log_", families);
  AddFiles(view, out);
  AddLines(view.tailing, out);
  AddRing(view.shipping, out);
  AddConnection(view.shipping, out);
}

}  // namespace ampari
