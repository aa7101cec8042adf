#include "forwarder/targets_page.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "forwarder/plain_table.h"

namespace ampari {
namespace {

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.1fs", absl::ToDoubleSeconds(duration));
}

void AddGateway(const char* signal, const ShippingStatus& shipping, PlainTable* table) {
  const char* state = shipping.refused      ? "refused"
                      : shipping.superseded ? "superseded"
                      : shipping.paused     ? "paused"
                      : shipping.connected  ? "connected"
                                            : "not connected";
  table->rows.push_back({signal, shipping.gateway, state, absl::StrCat(shipping.last_sequence),
                         absl::StrCat(shipping.acknowledged_sequence),
                         absl::StrCat(shipping.ring_bytes),
                         absl::StrCat(shipping.ring_unacknowledged_bytes), shipping.last_error});
}

PlainTable Gateways(const ForwarderView& view) {
  PlainTable table{"Gateway",
                   {"signal", "address", "state", "last frame", "acknowledged", "ring bytes",
                    "unacknowledged", "error"},
                   {}};
  if (view.ships_metrics) AddGateway("metrics", view.shipping, &table);
  if (view.logs.running) AddGateway("logs", view.logs.shipping, &table);
  return table;
}

PlainTable ScrapedTargets(const ForwarderView& view) {
  PlainTable table{"Scraped targets",
                   {"job", "url", "health", "scrapes", "samples", "series", "duration", "error"},
                   {}};
  for (const TargetStatus& status : view.targets) {
    table.rows.push_back({status.target->job->job_name, status.target->url,
                          std::string(HealthName(status.health)), absl::StrCat(status.scrapes),
                          absl::StrCat(status.last.samples_scraped), absl::StrCat(status.series),
                          Seconds(absl::Seconds(status.last_duration_seconds)), status.last.error});
  }
  return table;
}

std::string StateOf(const LogFileStatus& file) {
  if (!file.error.empty()) return "error";
  if (file.key.empty()) return "waiting";
  if (file.gone) return "gone";
  return file.rotated ? "rotated" : "read";
}

PlainTable LogFiles(const LogView& logs) {
  PlainTable table{"Log files",
                   {"job", "path", "state", "size", "out", "err", "lag bytes", "lag", "unread",
                    "skipped", "lines", "filtered", "cut", "refused", "error"},
                   {}};
  for (const LogFileStatus& file : logs.tailing.files) {
    table.rows.push_back({file.job_name, file.path, StateOf(file), absl::StrCat(file.size),
                          absl::StrCat(file.read.out), absl::StrCat(file.read.err),
                          absl::StrCat(file.lag_bytes), Seconds(file.lag),
                          absl::StrCat(file.rotated_unread_bytes), absl::StrCat(file.skipped_bytes),
                          absl::StrCat(file.lines), absl::StrCat(file.filtered_lines),
                          absl::StrCat(file.cut_lines), absl::StrCat(file.refused_lines),
                          file.error});
  }
  return table;
}

PlainTable LogTargets(const LogView& logs) {
  PlainTable table{"Log targets", {"job", "path", "labels"}, {}};
  for (const LogTarget& target : logs.targets) {
    table.rows.push_back({target.job->job_name, target.path, target.labels.ToString()});
  }
  return table;
}

PlainTable Dropped(const char* title, const DroppedTargets& dropped) {
  PlainTable table{absl::StrCat(title, " (", dropped.total, " in all)"),
                   {"job", "reason", "discovered labels"},
                   {}};
  for (const DroppedTarget& target : dropped.targets) {
    table.rows.push_back({target.job_name, target.reason, target.discovered_labels.ToString()});
  }
  return table;
}

std::vector<PlainTable> Tables(ForwarderView view) {
  SortView(&view);
  std::vector<PlainTable> tables = {Gateways(view), ScrapedTargets(view)};
  if (view.logs.running) {
    tables.push_back(LogFiles(view.logs));
    tables.push_back(LogTargets(view.logs));
    tables.push_back(Dropped("Dropped log targets", view.logs.dropped));
  }
  tables.push_back(Dropped("Dropped targets", view.dropped));
  return tables;
}

std::string TextPage(const std::vector<PlainTable>& tables) {
  std::string out;
  for (const PlainTable& table : tables) {
    absl::StrAppend(&out, out.empty() ? "" : "\n", TableText(table));
  }
  return out;
}

std::string HtmlPage(const std::vector<PlainTable>& tables) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>Ampari forwarder</title></head><body>\n";
  for (const PlainTable& table : tables) out += TableHtml(table);
  return out + "</body></html>\n";
}

}  // namespace

std::string TargetsPage(ForwarderView view, PageForm form) {
  switch (form) {
    case PageForm::kJson:
      return TargetsJson(std::move(view));
    case PageForm::kText:
      return TextPage(Tables(std::move(view)));
    case PageForm::kHtml:
      return HtmlPage(Tables(std::move(view)));
  }
  return "";
}

}  // namespace ampari
