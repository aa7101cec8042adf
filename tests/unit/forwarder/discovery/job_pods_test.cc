#include "forwarder/discovery/job_pods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/http/server.h"
#include "common/runtime/mutex.h"
#include "forwarder/discovery/discovery.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/forwarder/discovery/kubernetes/pod_json.h"

namespace ampari {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNode[] = "node-1";

// Lists one pod of each namespace; watches stay open, without an event, until the end.
class QuietApi {
 public:
  QuietApi() {
    ServerOptions options;
    options.thread_per_connection = true;
    auto server = HttpServer::Start(options, [this](const ServerRequest& r) { return Serve(r); });
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  ~QuietApi() {
    Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { ended_ = true; });
  }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", server_->port()); }
  // Lists with that path wait for Release().
  void Hold(std::string path) {
    Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { held_ = std::move(path); });
  }
  void Release() { Hold(""); }
  // Watches tell this from now on, once each.
  void Tell(std::string line) {
    Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { lines_.push_back(std::move(line)); });
  }
  std::vector<std::string> lists() const {
    MutexLock lock(mu_);
    return lists_;
  }

 private:
  template <typename Function>
  void Change(Function function) {
    MutexLock lock(mu_);
    function();
    changed_.NotifyAll();
  }

  ServerResponse Serve(const ServerRequest& request) {
    ServerResponse answer;
    MutexLock lock(mu_);
    if (request.Query("watch") == "true") {
      answer.stream = [this, told = size_t{0}]() mutable { return NextLine(told); };
      return answer;
    }
    lists_.push_back(absl::StrCat(request.path, " ", std::string(request.Query("labelSelector"))));
    while (held_ == request.path && !ended_) changed_.Wait(mu_);
    std::string name = request.path.substr(0, request.path.rfind('/'));
    name = name.substr(name.rfind('/') + 1);
    answer.body = ListJson({PodJson(name, absl::StrCat(name, ".ip"))}, "10");
    return answer;
  }

  std::string NextLine(size_t& told) {
    MutexLock lock(mu_);
    while (told >= lines_.size() && !ended_) changed_.Wait(mu_);
    return told < lines_.size() ? lines_[told++] : "";
  }

  mutable Mutex mu_;
  CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::string held_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> lists_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;  // first to go
};

KubernetesDiscoveryConfig Pods(const QuietApi& api, std::vector<std::string> namespaces) {
  KubernetesDiscoveryConfig config;
  config.api_server = api.url();
  config.namespaces = std::move(namespaces);
  return config;
}

PodJob Job(const std::string& name, std::vector<KubernetesDiscoveryConfig> pods) {
  return {name, std::move(pods)};
}

class JobPodsTest : public ::testing::Test {
 protected:
  // Waits until the job's addresses are these; gives up after 30 s.
  std::vector<std::string> Await(const PodJob& job, const std::vector<std::string>& want) {
    MutexLock lock(mu_);
    std::vector<std::string> got = Addresses(job);
    for (int i = 0; i < 300 && got != want; ++i) {
      woken_.WaitFor(mu_, absl::Milliseconds(100));
      (void)pods_.TakeChanges(absl::InfiniteDuration());
      got = Addresses(job);
    }
    return got;
  }
  std::vector<std::string> Addresses(const PodJob& job) {
    std::vector<std::string> all;
    for (const TargetGroup& group : pods_.Groups(job)) {
      all.insert(all.end(), group.targets.begin(), group.targets.end());
    }
    return all;
  }
  void AwaitWakes(int count) {
    MutexLock lock(mu_);
    for (int i = 0; i < 300 && wakes_ < count; ++i) woken_.WaitFor(mu_, absl::Milliseconds(100));
    EXPECT_EQ(wakes_, count);
  }
  void AwaitEvents(uint64_t count) {
    for (int i = 0; i < 3000 && pods_.status()[0].events < count; ++i) {
      MutexLock lock(mu_);
      woken_.WaitFor(mu_, absl::Milliseconds(10));
    }
    EXPECT_GE(pods_.status()[0].events, count);
  }

  QuietApi api_;
  Mutex mu_;
  CondVar woken_;
  int wakes_ ABSL_GUARDED_BY(mu_) = 0;
  JobPods pods_{[this] {
                  MutexLock lock(mu_);
                  ++wakes_;
                  woken_.NotifyAll();
                },
                {}};
};

TEST_F(JobPodsTest, JobsThatAskTheSameShareOneWatch) {
  const PodJob one = Job("one", {Pods(api_, {"a", "b"})});
  const PodJob two = Job("two", {Pods(api_, {"b"}), Pods(api_, {"b"})});
  pods_.Apply({one, two}, kNode);
  EXPECT_THAT(Await(one, {"a.ip", "b.ip"}), ElementsAre("a.ip", "b.ip"));
  EXPECT_THAT(Await(two, {"b.ip", "b.ip"}), ElementsAre("b.ip", "b.ip"));
  EXPECT_THAT(pods_.status(), SizeIs(2));
  EXPECT_THAT(api_.lists(), SizeIs(2));
}

TEST_F(JobPodsTest, AReloadKeepsThePodsOfWatchesThatStay) {
  const PodJob job = Job("one", {Pods(api_, {"a"})});
  pods_.Apply({job}, kNode);
  EXPECT_THAT(Await(job, {"a.ip"}), ElementsAre("a.ip"));
  api_.Hold("/api/v1/namespaces/b/pods");
  const PodJob more = Job("one", {Pods(api_, {"a", "b"})});
  pods_.Apply({more}, kNode);
  EXPECT_THAT(Addresses(more), ElementsAre("a.ip"));
  api_.Release();
  EXPECT_THAT(Await(more, {"a.ip", "b.ip"}), ElementsAre("a.ip", "b.ip"));
  EXPECT_THAT(api_.lists(), SizeIs(2));
}

TEST_F(JobPodsTest, AJobKeepsWhatItHadUntilItsNewWatchIsComplete) {
  const PodJob job = Job("one", {Pods(api_, {"a"})});
  pods_.Apply({job}, kNode);
  EXPECT_THAT(Await(job, {"a.ip"}), ElementsAre("a.ip"));
  api_.Hold("/api/v1/namespaces/b/pods");
  const PodJob other = Job("one", {Pods(api_, {"b"})});
  const PodJob fresh = Job("two", {Pods(api_, {"b"})});
  for (int reload = 0; reload < 2; ++reload) {
    pods_.Apply({other, fresh}, kNode);
    EXPECT_THAT(Addresses(other), ElementsAre("a.ip")) << reload;
    EXPECT_THAT(Addresses(fresh), IsEmpty()) << reload;
  }
  api_.Release();
  EXPECT_THAT(Await(other, {"b.ip"}), ElementsAre("b.ip"));
  EXPECT_THAT(Await(fresh, {"b.ip"}), ElementsAre("b.ip"));
}

TEST_F(JobPodsTest, AJobThatIsGoneTakesItsPodsAlong) {
  const PodJob job = Job("one", {Pods(api_, {"a"})});
  pods_.Apply({job}, kNode);
  EXPECT_THAT(Await(job, {"a.ip"}), ElementsAre("a.ip"));
  pods_.Apply({Job("one", {})}, kNode);
  EXPECT_THAT(Addresses(Job("one", {})), IsEmpty());
  EXPECT_THAT(pods_.status(), IsEmpty());
  api_.Hold("/api/v1/namespaces/a/pods");
  pods_.Apply({job}, kNode);
  EXPECT_THAT(Addresses(job), IsEmpty());  // it begins anew
}

TEST_F(JobPodsTest, TheFirstChangeIsTakenAtOnceAndThoseThatFollowTogether) {
  const PodJob job = Job("one", {Pods(api_, {"a"})});
  pods_.Apply({job}, kNode);
  AwaitWakes(1);
  EXPECT_EQ(pods_.Wait(absl::Seconds(100)), absl::ZeroDuration());
  EXPECT_TRUE(pods_.TakeChanges(absl::Seconds(100)));
  EXPECT_FALSE(pods_.TakeChanges(absl::Seconds(100)));
  EXPECT_EQ(pods_.Wait(absl::Seconds(100)), absl::InfiniteDuration());
  for (int i = 0; i < 20; ++i) {
    api_.Tell(EventJson("MODIFIED", PodJson("p", absl::StrCat("ip", i), 20 + i)));
  }
  AwaitEvents(20);
  AwaitWakes(2);  // the list, and all events together
  EXPECT_FALSE(pods_.TakeChanges(absl::Seconds(100) + absl::Milliseconds(499)));
  EXPECT_EQ(pods_.Wait(absl::Seconds(100) + absl::Milliseconds(400)), absl::Milliseconds(100));
  EXPECT_TRUE(pods_.TakeChanges(absl::Seconds(100) + absl::Milliseconds(500)));
  EXPECT_THAT(Addresses(job), Contains("ip19"));
}

TEST(DiscoveryOfPods, JoinsTheJobsOtherTargets) {
  QuietApi api;
  Mutex mu;
  CondVar changed;
  std::vector<std::string> urls;
  Discovery discovery([&](TargetSet set) {
    MutexLock lock(mu);
    urls.clear();
    for (const Target& target : set.targets) urls.push_back(target.url);
    changed.NotifyAll();
  });
  ScrapeJob named;
  named.job_name = "one";
  ScrapeJobConfig job;
  job.job = std::make_shared<const ScrapeJob>(std::move(named));
  job.kubernetes_discoveries = {Pods(api, {"a"})};
  job.static_groups = {{"static", {"s:1"}, {}, {}}};
  discovery.Apply({job}, {}, kNode);
  const std::vector<std::string> want = {"http://s:1/metrics", "http://a.ip/metrics"};
  MutexLock lock(mu);
  for (int i = 0; i < 300 && urls != want; ++i) changed.WaitFor(mu, absl::Milliseconds(100));
  EXPECT_EQ(urls, want);
  ASSERT_THAT(discovery.pod_watches(), SizeIs(1));
  EXPECT_EQ(discovery.pod_watches()[0].url,
            api.url() + "/api/v1/namespaces/a/pods?fieldSelector=spec.nodeName%3Dnode-1");
}

TEST(DiscoveryOfPods, LogJobsShareTheWatchAndReadTheFiles) {
  QuietApi api;
  Mutex mu;
  CondVar changed;
  std::vector<std::string> paths;
  Discovery discovery([](TargetSet) {},
                      [&](DiscoveredLogs logs) {
                        MutexLock lock(mu);
                        paths.clear();
                        for (const LogTarget& target : logs.targets) paths.push_back(target.path);
                        changed.NotifyAll();
                      });
  RelabelRule path;
  path.source_labels = {"__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"};
  path.separator = "/";
  path.target_label = "__path__";
  path.replacement = "/var/log/pods/*$1/*.log";
  LogJob named;
  named.job_name = "one";
  named.relabel = Relabeler::Compile({{path}}).value();
  LogJobConfig job;
  job.job = std::make_shared<const LogJob>(std::move(named));
  job.kubernetes_discoveries = {Pods(api, {"a"})};
  ScrapeJob scraped;
  scraped.job_name = "one";  // a name of each kind
  ScrapeJobConfig scrape_job;
  scrape_job.job = std::make_shared<const ScrapeJob>(std::move(scraped));
  scrape_job.kubernetes_discoveries = job.kubernetes_discoveries;
  discovery.Apply({scrape_job}, {}, kNode, {job});
  const std::vector<std::string> want = {"/var/log/pods/*u-a/c/*.log"};
  MutexLock lock(mu);
  for (int i = 0; i < 300 && paths != want; ++i) changed.WaitFor(mu, absl::Milliseconds(100));
  EXPECT_EQ(paths, want);
  EXPECT_THAT(discovery.pod_watches(), SizeIs(1));
  EXPECT_THAT(api.lists(), SizeIs(1));
}

}  // namespace
}  // namespace ampari
