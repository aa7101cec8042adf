#include "forwarder/discovery/targets.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/units.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"
#include "forwarder/discovery/discovered_labels.h"
#include "forwarder/discovery/url.h"

namespace ampari {
namespace {

constexpr absl::string_view kIdSeparator("\0", 1);

absl::StatusOr<absl::Duration> PositiveDuration(std::string_view what, std::string_view text) {
  const absl::StatusOr<absl::Duration> duration = ParsePromDuration(text);
  if (!duration.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("error parsing ", ToAbsl(what), ": ", duration.status().message()));
  }
  if (*duration <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(what), " cannot be 0"));
  }
  return duration;
}

absl::Status CheckAddress(std::string_view address) {
  if (address.empty()) return absl::InvalidArgumentError("no address");
  if (address.find('/') != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(address), " is not a valid hostname"));
  }
  return absl::OkStatus();
}

// Interval and timeout of the target, after relabelling may have changed them.
absl::Status ReadTimes(const LabelsBuilder& labels, Target& target) {
  const std::string_view interval_text = labels.Get("__scrape_interval__");
  const std::string_view timeout_text = labels.Get("__scrape_timeout__");
  const absl::StatusOr<absl::Duration> interval =
      PositiveDuration("scrape interval", interval_text);
  if (!interval.ok()) return interval.status();
  const absl::StatusOr<absl::Duration> timeout = PositiveDuration("scrape timeout", timeout_text);
  if (!timeout.ok()) return timeout.status();
  if (*timeout > *interval) {
    return absl::InvalidArgumentError(
        absl::StrCat("scrape timeout cannot be greater than scrape interval (",
                     Quoted(timeout_text), " > ", Quoted(interval_text), ")"));
  }
  target.interval = *interval;
  target.timeout = *timeout;
  return absl::OkStatus();
}

Labels WithoutPrefix(const Labels& labels, std::string_view prefix) {
  LabelsBuilder kept;
  for (const Label label : labels) {
    if (!label.name.starts_with(prefix)) kept.AddView(label.name, label.value);
  }
  return kept.Build();
}

}  // namespace

Labels DiscoveredLabels(const ScrapeJob& job, std::string_view address, const Labels& group,
                        const Labels& own) {
  LabelsBuilder labels;
  AddDiscovered(address, group, own, &labels);
  SetIfEmpty("job", job.job_name, labels);
  SetIfEmpty("__scrape_interval__", FormatPromDuration(job.scrape_interval), labels);
  SetIfEmpty("__scrape_timeout__", FormatPromDuration(job.scrape_timeout), labels);
  SetIfEmpty("__metrics_path__", job.metrics_path, labels);
  SetIfEmpty("__scheme__", job.scheme, labels);
  for (const auto& [name, values] : job.params) {
    if (!values.empty()) SetIfEmpty(absl::StrCat("__param_", name), values.front(), labels);
  }
  return labels.Build();
}

absl::StatusOr<Target> BuildTarget(const std::shared_ptr<const ScrapeJob>& job,
                                   const Labels& discovered, const Labels& external) {
  LabelsBuilder labels(discovered);
  if (!job->relabel.Apply(labels)) return absl::NotFoundError("dropped by relabel_configs");
  const std::string address(labels.Get("__address__"));
  absl::Status status = CheckAddress(address);
  if (!status.ok()) return status;
  Target target;
  status = ReadTimes(labels, target);
  if (!status.ok()) return status;
  SetIfEmpty("instance", address, labels);
  target.job = job;
  target.discovered_labels = discovered;
  target.internal_labels = WithoutPrefix(labels.Build(), "__meta_");
  status = CheckLabelValues(target.internal_labels);
  if (!status.ok()) return status;
  target.labels = PublicLabels(target.internal_labels, external);
  target.url = TargetUrl(target.internal_labels, *job);
  target.id = absl::StrCat(job->job_name, kIdSeparator, ToAbsl(target.labels.bytes()), kIdSeparator,
                           target.url);
  return target;
}

}  // namespace ampari
