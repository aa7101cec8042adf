#include "forwarder/discovery/discovery.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/runtime/clock.h"
#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr absl::Duration kLongestRefresh = absl::Minutes(5);
constexpr absl::Duration kShortestRefresh = absl::Seconds(1);

// Equal for the same job and the same files, so that a reload finds what was read.
std::string SourceKey(const std::string& job_key, const FileDiscoveryConfig& files) {
  return absl::StrCat(job_key, "\n", absl::StrJoin(files.files, "\n"));
}

KubernetesSourceOptions PodOptions() {
  KubernetesSourceOptions options;
  options.seed = std::random_device()();
  return options;
}

}  // namespace

Discovery::Discovery(Consumer consumer, LogConsumer log_consumer)
    : consumer_(std::move(consumer)),
      log_consumer_(std::move(log_consumer)),
      pods_([this] { watch_.Wakeup(); }, PodOptions()),
      thread_([this] { Run(); }) {}

Discovery::~Discovery() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  watch_.Wakeup();
  thread_.join();
}

void Discovery::Apply(std::vector<ScrapeJobConfig> jobs, Labels external_labels,
                      std::string kubernetes_node, std::vector<LogJobConfig> log_jobs) {
  MutexLock lock(mu_);
  new_config_ = Config{std::move(jobs), std::move(external_labels), std::move(kubernetes_node),
                       std::move(log_jobs)};
  watch_.Wakeup();
}

std::vector<DiscoveredFile> Discovery::files() const {
  MutexLock lock(mu_);
  return files_;
}

void Discovery::Run() {
  while (true) {
    {
      MutexLock lock(mu_);
      if (stop_) return;
    }
    const bool adopted = Adopt();
    const bool files_changed = RefreshFiles();
    ShowFiles();
    const bool pods_changed = pods_.TakeChanges(SystemClock().Monotonic());
    if (adopted || files_changed || pods_changed) HandOut();
    watch_.Wait(std::min(RefreshInterval(), pods_.Wait(SystemClock().Monotonic())));
  }
}

Discovery::AnyJob Discovery::AnyOf(const ScrapeJobConfig& config) {
  return {absl::StrCat("scrape\n", config.job->job_name), config.job->job_name, &config};
}

Discovery::AnyJob Discovery::AnyOf(const LogJobConfig& config) {
  return {absl::StrCat("log\n", config.job->job_name), config.job->job_name, &config};
}

std::vector<Discovery::AnyJob> Discovery::AllJobs() const {
  std::vector<AnyJob> all;
  for (const ScrapeJobConfig& config : config_.jobs) all.push_back(AnyOf(config));
  for (const LogJobConfig& config : config_.log_jobs) all.push_back(AnyOf(config));
  return all;
}

bool Discovery::Adopt() {
  {
    MutexLock lock(mu_);
    if (!new_config_.has_value()) return false;
    config_ = *std::exchange(new_config_, std::nullopt);
  }
  std::map<std::string, FileTargets> sources;
  std::vector<PodJob> pod_jobs;
  for (const AnyJob& job : AllJobs()) {
    pod_jobs.push_back(job.pods());
    for (const FileDiscoveryConfig& files : job.sources->file_discoveries) {
      const std::string key = SourceKey(job.key, files);
      auto known = sources_.extract(key);
      if (known.empty()) {
        sources.try_emplace(key, files);
      } else {
        sources.insert(std::move(known));
      }
    }
  }
  sources_ = std::move(sources);
  pods_.Apply(pod_jobs, config_.kubernetes_node);
  return true;
}

bool Discovery::RefreshFiles() {
  std::set<std::string> directories;
  for (const auto& [key, source] : sources_) {
    const std::vector<std::string> of_source = source.directories();
    directories.insert(of_source.begin(), of_source.end());
  }
  watch_.Watch(directories);  // before reading, so that no change falls between
  bool changed = false;
  for (auto& [key, source] : sources_) changed |= source.Refresh();
  return changed;
}

void Discovery::ShowFiles() {
  std::vector<DiscoveredFile> all;
  for (const AnyJob& job : AllJobs()) {
    for (const FileDiscoveryConfig& files : job.sources->file_discoveries) {
      for (FileStatus& status : sources_.at(SourceKey(job.key, files)).files()) {
        all.push_back({job.job_name, std::move(status)});
      }
    }
  }
  MutexLock lock(mu_);
  for (const DiscoveredFile& file : all) {
    const bool known = std::any_of(files_.begin(), files_.end(), [&](const DiscoveredFile& old) {
      return old.job_name == file.job_name && old.status.file == file.status.file &&
             old.status.error == file.status.error;
    });
    if (file.status.error.empty() || known) continue;
    Log(LogLevel::kWarn, "a target file cannot be used; its last good content stays in force",
        {{"job", file.job_name}, {"file", file.status.file}, {"error", file.status.error}});
  }
  files_ = std::move(all);
}

std::vector<TargetGroup> Discovery::Groups(const AnyJob& job) {
  std::vector<TargetGroup> groups = job.sources->static_groups;
  for (const FileDiscoveryConfig& files : job.sources->file_discoveries) {
    std::vector<TargetGroup> of_files = sources_.at(SourceKey(job.key, files)).groups();
    std::move(of_files.begin(), of_files.end(), std::back_inserter(groups));
  }
  std::vector<TargetGroup> pods = pods_.Groups(job.pods());
  std::move(pods.begin(), pods.end(), std::back_inserter(groups));
  return groups;
}

void Discovery::HandOut() {
  std::vector<JobTargets> jobs;
  for (const ScrapeJobConfig& config : config_.jobs) {
    jobs.push_back({config.job, Groups(AnyOf(config))});
  }
  consumer_(targets_.Build(jobs, config_.external_labels));
  if (log_consumer_ == nullptr) return;
  std::vector<JobGroups<LogJob>> log_jobs;
  for (const LogJobConfig& config : config_.log_jobs) {
    log_jobs.push_back({config.job, Groups(AnyOf(config))});
  }
  DiscoveredLogs found = log_targets_.Build(log_jobs, config_.external_labels);
  for (const LogJobConfig& config : config_.log_jobs) {
    found.job_names.push_back(config.job->job_name);
  }
  log_consumer_(std::move(found));
}

absl::Duration Discovery::RefreshInterval() const {
  absl::Duration shortest = kLongestRefresh;
  for (const AnyJob& job : AllJobs()) {
    for (const FileDiscoveryConfig& files : job.sources->file_discoveries) {
      shortest = std::min(shortest, files.refresh_interval);
    }
  }
  return std::max(shortest, kShortestRefresh);
}

}  // namespace ampari
