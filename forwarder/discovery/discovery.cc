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
std::string SourceKey(const ScrapeJob& job, const FileDiscoveryConfig& files) {
  return absl::StrCat(job.job_name, "\n", absl::StrJoin(files.files, "\n"));
}

KubernetesSourceOptions PodOptions() {
  KubernetesSourceOptions options;
  options.seed = std::random_device()();
  return options;
}

}  // namespace

Discovery::Discovery(Consumer consumer)
    : consumer_(std::move(consumer)),
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
                      std::string kubernetes_node) {
  MutexLock lock(mu_);
  new_config_ = Config{std::move(jobs), std::move(external_labels), std::move(kubernetes_node)};
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
    if (adopted || files_changed || pods_changed) consumer_(Build());
    watch_.Wait(std::min(RefreshInterval(), pods_.Wait(SystemClock().Monotonic())));
  }
}

bool Discovery::Adopt() {
  {
    MutexLock lock(mu_);
    if (!new_config_.has_value()) return false;
    config_ = *std::exchange(new_config_, std::nullopt);
  }
  std::map<std::string, FileTargets> sources;
  for (const ScrapeJobConfig& job : config_.jobs) {
    for (const FileDiscoveryConfig& files : job.file_discoveries) {
      const std::string key = SourceKey(*job.job, files);
      auto known = sources_.extract(key);
      if (known.empty()) {
        sources.try_emplace(key, files);
      } else {
        sources.insert(std::move(known));
      }
    }
  }
  sources_ = std::move(sources);
  pods_.Apply(config_.jobs, config_.kubernetes_node);
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
  for (const ScrapeJobConfig& job : config_.jobs) {
    for (const FileDiscoveryConfig& files : job.file_discoveries) {
      for (FileStatus& status : sources_.at(SourceKey(*job.job, files)).files()) {
        all.push_back({job.job->job_name, std::move(status)});
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

TargetSet Discovery::Build() {
  std::vector<JobTargets> jobs;
  for (const ScrapeJobConfig& config : config_.jobs) {
    JobTargets& job = jobs.emplace_back(JobTargets{config.job, config.static_groups});
    for (const FileDiscoveryConfig& files : config.file_discoveries) {
      std::vector<TargetGroup> groups = sources_.at(SourceKey(*config.job, files)).groups();
      std::move(groups.begin(), groups.end(), std::back_inserter(job.groups));
    }
    std::vector<TargetGroup> pods = pods_.Groups(config);
    std::move(pods.begin(), pods.end(), std::back_inserter(job.groups));
  }
  return targets_.Build(jobs, config_.external_labels);
}

absl::Duration Discovery::RefreshInterval() const {
  absl::Duration shortest = kLongestRefresh;
  for (const ScrapeJobConfig& job : config_.jobs) {
    for (const FileDiscoveryConfig& files : job.file_discoveries) {
      shortest = std::min(shortest, files.refresh_interval);
    }
  }
  return std::max(shortest, kShortestRefresh);
}

}  // namespace ampari
