// Discovery: keeps the targets of all jobs known, from the configuration itself, from files and
// from the Kubernetes API.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/labels/labels.h"
#include "common/runtime/mutex.h"
#include "forwarder/config.h"
#include "forwarder/discovery/directory_watch.h"
#include "forwarder/discovery/file_targets.h"
#include "forwarder/discovery/job_pods.h"
#include "forwarder/discovery/log_targets.h"
#include "forwarder/discovery/target_set_builder.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// A file of file_sd_configs of a job of either kind.
struct DiscoveredFile {
  std::string job_name;
  FileStatus status;
};

// Owns one thread, which reads the files and calls the consumer, and one that speaks to the API.
// Thread-safe.
class Discovery {
 public:
  // Gets the whole set of targets whenever it may have changed, first after the first Apply().
  using Consumer = std::function<void(TargetSet)>;
  // Gets all log files' targets, just after the other.
  using LogConsumer = std::function<void(DiscoveredLogs)>;

  explicit Discovery(Consumer consumer, LogConsumer log_consumer = nullptr);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  // Takes over a configuration. Jobs of both kinds that ask for the same pods share a watch. Files
  // that an earlier one named too keep their last good content, watches of pods that stay keep
  // their pods. `kubernetes_node` as ForwarderConfig's.
  void Apply(std::vector<ScrapeJobConfig> jobs, Labels external_labels,
             std::string kubernetes_node = "", std::vector<LogJobConfig> log_jobs = {})
      ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<DiscoveredFile> files() const ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<PodWatchStatus> pod_watches() const { return pods_.status(); }

 private:
  struct Config {
    std::vector<ScrapeJobConfig> jobs;
    Labels external_labels;
    std::string kubernetes_node;
    std::vector<LogJobConfig> log_jobs;
  };
  // A job of either kind.
  struct AnyJob {
    std::string key;  // the same after a reload; of no other job
    std::string job_name;
    const JobSources* sources;  // in config_
    PodJob pods() const { return {key, sources->kubernetes_discoveries}; }
  };
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  bool Adopt() ABSL_LOCKS_EXCLUDED(mu_);
  bool RefreshFiles();
  void ShowFiles() ABSL_LOCKS_EXCLUDED(mu_);
  static AnyJob AnyOf(const ScrapeJobConfig& config);
  static AnyJob AnyOf(const LogJobConfig& config);
  std::vector<AnyJob> AllJobs() const;
  std::vector<TargetGroup> Groups(const AnyJob& job);
  void HandOut();
  absl::Duration RefreshInterval() const;

  const Consumer consumer_;
  const LogConsumer log_consumer_;
  DirectoryWatch watch_;
  // The thread's.
  Config config_;
  std::map<std::string, FileTargets>
      sources_;  // by the job's key and place in its file_sd_configs' files
  JobPods pods_;
  TargetSetBuilder targets_;
  LogTargetSetBuilder log_targets_;

  mutable Mutex mu_;
  std::optional<Config> new_config_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<DiscoveredFile> files_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ampari
