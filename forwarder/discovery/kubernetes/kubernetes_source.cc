#include "forwarder/discovery/kubernetes/kubernetes_source.h"

#include <algorithm>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/http/loop.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "forwarder/discovery/kubernetes/attached_metadata.h"
#include "forwarder/discovery/kubernetes/watch_key.h"

namespace ampari {
namespace {

constexpr absl::Duration kLongestWait = absl::Minutes(1);

}  // namespace

// The thread and what it runs. Watches are made by whoever applies, and run and destroyed by the
// thread alone.
class KubernetesSource::Core {
 public:
  Core(std::function<void()> changed, KubernetesSourceOptions options)
      : changed_(std::move(changed)),
        options_(std::move(options)),
        random_(options_.seed),
        thread_([this] { Run(); }) {}

  ~Core() {
    {
      MutexLock lock(mu_);
      stop_ = true;
    }
    loop_.Wakeup();
    thread_.join();
  }

  void Apply(const std::vector<KubernetesDiscoveryConfig>& configs, const std::string& node)
      ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      node_ = node;
      std::map<std::string, std::shared_ptr<PodWatch>> watches;
      for (const KubernetesDiscoveryConfig& config : configs) {
        for (const WantedWatch& wanted : WatchesOf(config, node)) {
          std::shared_ptr<PodWatch>& watch = watches[wanted.key];
          if (watch != nullptr) continue;
          const auto known = watches_.find(wanted.key);
          watch = known != watches_.end() ? known->second : NewWatch(config, wanted);
        }
      }
      for (auto& [key, watch] : watches_) {
        if (!watches.contains(key)) retired_.push_back(std::move(watch));
      }
      watches_ = std::move(watches);
    }
    loop_.Wakeup();
  }

  std::vector<TargetGroup> Groups(const KubernetesDiscoveryConfig& config) const {
    const std::vector<std::shared_ptr<const PodWatch>> watches = Find(config);
    std::vector<TargetGroup> groups;
    for (const auto& watch : watches) {
      if (watch->resource() == ApiResource::kPods) watch->AppendGroups(&groups);
    }
    if (!config.attach.any()) return groups;
    const FindAttached find = [&](ApiResource resource,
                                  std::string_view key) -> std::optional<Labels> {
      for (const auto& watch : watches) {
        if (watch->resource() != resource) continue;
        if (std::optional<Labels> labels = watch->FindLabels(std::string(key))) return labels;
      }
      return std::nullopt;
    };
    std::erase_if(groups, [&](TargetGroup& pod) { return !Attach(config.attach, find, &pod); });
    return groups;
  }

  bool Synced(const KubernetesDiscoveryConfig& config) const {
    const std::vector<std::shared_ptr<const PodWatch>> watches = Find(config);
    return std::all_of(watches.begin(), watches.end(),
                       [](const auto& watch) { return watch->synced(); });
  }

  std::vector<PodWatchStatus> status() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    std::vector<PodWatchStatus> all;
    for (const auto& [key, watch] : watches_) all.push_back(watch->status());
    return all;
  }

 private:
  std::shared_ptr<PodWatch> NewWatch(const KubernetesDiscoveryConfig& config,
                                     const WantedWatch& wanted) {
    PodWatchSurroundings with;
    with.loop = &loop_;
    with.clock = &SystemClock();
    with.random = [this] { return std::uniform_real_distribution<double>(0, 1)(random_); };
    with.changed = changed_;
    with.timings = options_.timings;
    PodWatch::Collection collection;
    collection.access = [config, this] { return ResolveApiAccess(config, options_.in_cluster); };
    collection.query = wanted.query;
    collection.own_namespace = wanted.own_namespace;
    return std::make_shared<PodWatch>(std::move(collection), std::move(with));
  }

  std::vector<std::shared_ptr<const PodWatch>> Find(const KubernetesDiscoveryConfig& config) const
      ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    std::vector<std::shared_ptr<const PodWatch>> found;
    for (const WantedWatch& wanted : WatchesOf(config, node_)) {
      const auto watch = watches_.find(wanted.key);
      if (watch != watches_.end()) found.push_back(watch->second);
    }
    return found;
  }

  void Run() ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<std::shared_ptr<PodWatch>> ending;
    while (true) {
      std::vector<std::shared_ptr<PodWatch>> running;
      {
        MutexLock lock(mu_);
        if (stop_) return;
        for (const auto& [key, watch] : watches_) running.push_back(watch);
        std::move(retired_.begin(), retired_.end(), std::back_inserter(ending));
        retired_.clear();
      }
      for (const auto& watch : ending) watch->Stop();
      absl::Duration due = SystemClock().Monotonic() + kLongestWait;
      for (const auto& watch : running) {
        watch->Tick();
        due = std::min(due, watch->due());
      }
      loop_.Poll(std::max(absl::ZeroDuration(), due - SystemClock().Monotonic()));
      std::erase_if(ending, [](const auto& watch) { return !watch->busy(); });
    }
  }

  const std::function<void()> changed_;
  const KubernetesSourceOptions options_;
  std::mt19937_64 random_;  // the thread's

  mutable Mutex mu_;
  std::string node_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, std::shared_ptr<PodWatch>> watches_ ABSL_GUARDED_BY(mu_);  // by key
  std::vector<std::shared_ptr<PodWatch>> retired_ ABSL_GUARDED_BY(mu_);
  HttpLoop loop_;       // after the watches: it goes first, without calling back
  std::thread thread_;  // last: it uses all of the above
};

KubernetesSource::KubernetesSource(std::function<void()> changed, KubernetesSourceOptions options)
    : core_(std::make_unique<Core>(std::move(changed), std::move(options))) {}
KubernetesSource::~KubernetesSource() = default;

void KubernetesSource::Apply(const std::vector<KubernetesDiscoveryConfig>& configs,
                             const std::string& node) {
  core_->Apply(configs, node);
}
std::vector<TargetGroup> KubernetesSource::Groups(const KubernetesDiscoveryConfig& config) const {
  return core_->Groups(config);
}
bool KubernetesSource::Synced(const KubernetesDiscoveryConfig& config) const {
  return core_->Synced(config);
}
std::vector<PodWatchStatus> KubernetesSource::status() const { return core_->status(); }

}  // namespace ampari
