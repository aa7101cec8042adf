#include "forwarder/discovery/targets.h"

#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/units.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"
#include "forwarder/discovery/url.h"

namespace ampari {
namespace {

constexpr absl::string_view kIdSeparator("\0", 1);

void SetIfEmpty(std::string_view name, std::string_view value, LabelsBuilder& labels) {
  if (labels.Get(name).empty()) labels.Set(name, value);
}

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

absl::Status CheckValues(const Labels& labels) {
  for (const Label label : labels) {
    if (IsUtf8(label.value)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("invalid label value for ", Quoted(label.name), ": ", Quoted(label.value)));
  }
  return absl::OkStatus();
}

Labels WithoutPrefix(const Labels& labels, std::string_view prefix) {
  LabelsBuilder kept;
  for (const Label label : labels) {
    if (!label.name.starts_with(prefix)) kept.AddView(label.name, label.value);
  }
  return kept.Build();
}

Labels PublicLabels(const Labels& internal, const Labels& external) {
  LabelsBuilder labels;
  for (const Label label : internal) {
    if (!label.name.starts_with("__")) labels.AddView(label.name, label.value);
  }
  for (const Label label : external) {
    if (!internal.Has(label.name)) labels.AddView(label.name, label.value);
  }
  return labels.Build();
}

// Collects the targets of all jobs.
class TargetSetBuilder {
 public:
  void Add(const JobTargets& job, const Labels& external) {
    kept_of_job_ = 0;
    for (const TargetGroup& group : job.groups) {
      for (size_t i = 0; i < group.targets.size(); ++i) AddOne(job.job, group, i, external);
    }
  }
  TargetSet Take() { return std::move(set_); }

 private:
  void AddOne(const std::shared_ptr<const ScrapeJob>& job, const TargetGroup& group, size_t index,
              const Labels& external) {
    const Labels none;
    const Labels& own = index < group.target_labels.size() ? group.target_labels[index] : none;
    Labels discovered = DiscoveredLabels(*job, group.targets[index], group.labels, own);
    absl::StatusOr<Target> target = BuildTarget(job, discovered, external);
    if (!target.ok()) {
      Drop(*job, std::move(discovered), std::string(target.status().message()));
    } else if (!ids_.contains(target->id)) {
      if (set_.targets.size() == kMaxTargets) {
        Drop(*job, std::move(discovered), absl::StrCat("more than ", kMaxTargets, " targets"));
        return;
      }
      ids_.insert(target->id);
      set_.targets.push_back(*std::move(target));
    }
  }

  void Drop(const ScrapeJob& job, Labels discovered, std::string reason) {
    ++set_.dropped_total;
    const uint64_t limit =
        job.keep_dropped_targets != 0 ? job.keep_dropped_targets : kKeptDroppedTargets;
    if (++kept_of_job_ > limit) return;
    set_.dropped.push_back({job.job_name, std::move(discovered), std::move(reason)});
  }

  TargetSet set_;
  std::unordered_set<std::string> ids_;
  uint64_t kept_of_job_ = 0;
};

}  // namespace

Labels DiscoveredLabels(const ScrapeJob& job, std::string_view address, const Labels& group,
                        const Labels& own) {
  constexpr std::string_view kAddress = "__address__";
  LabelsBuilder labels;
  labels.AddView(kAddress, address);
  for (const Label label : own) {
    if (label.name != kAddress) labels.AddView(label.name, label.value);
  }
  for (const Label label : group) {
    if (label.name != kAddress && !own.Has(label.name)) labels.AddView(label.name, label.value);
  }
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
  status = CheckValues(target.internal_labels);
  if (!status.ok()) return status;
  target.labels = PublicLabels(target.internal_labels, external);
  target.url = TargetUrl(target.internal_labels, *job);
  target.id = absl::StrCat(job->job_name, kIdSeparator, ToAbsl(target.labels.bytes()), kIdSeparator,
                           target.url);
  return target;
}

TargetSet BuildTargetSet(std::span<const JobTargets> jobs, const Labels& external) {
  TargetSetBuilder builder;
  for (const JobTargets& job : jobs) builder.Add(job, external);
  return builder.Take();
}

}  // namespace ampari
