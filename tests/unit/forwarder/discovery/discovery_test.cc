#include "forwarder/discovery/discovery.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Takes what discovery gives, and lets a test wait for the next set.
class Inbox {
 public:
  void Put(TargetSet set) {
    MutexLock lock(mu_);
    sets_.push_back(std::move(set));
    changed_.NotifyAll();
  }
  // The URLs of the next set; gives up after 30 s.
  std::vector<std::string> Next() {
    MutexLock lock(mu_);
    for (int i = 0; i < 300 && sets_.empty(); ++i) changed_.WaitFor(mu_, absl::Milliseconds(100));
    if (sets_.empty()) return {"no set came"};
    std::vector<std::string> urls;
    for (const Target& target : sets_.front().targets) urls.push_back(target.url);
    sets_.pop_front();
    return urls;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<TargetSet> sets_ ABSL_GUARDED_BY(mu_);
};

ScrapeJobConfig Job(std::string name, std::vector<std::string> addresses,
                    std::vector<std::string> files = {}) {
  ScrapeJob job;
  job.job_name = std::move(name);
  ScrapeJobConfig config;
  config.job = std::make_shared<const ScrapeJob>(std::move(job));
  if (!addresses.empty()) config.static_groups = {{"static", std::move(addresses), {}, {}}};
  if (!files.empty()) config.file_discoveries = {{std::move(files), absl::Minutes(5)}};
  return config;
}

class DiscoveryTest : public ::testing::Test {
 protected:
  TempDir dir_;
  Inbox inbox_;
  Discovery discovery_{[this](TargetSet set) { inbox_.Put(std::move(set)); }};
};

TEST_F(DiscoveryTest, StaticAndFileTargetsOfAllJobsTogether) {
  const std::string file = dir_.Write("t.json", R"([{"targets": ["c:1"]}])");
  discovery_.Apply({Job("one", {"a:1", "b:1"}), Job("two", {}, {file})}, {});
  EXPECT_THAT(inbox_.Next(), UnorderedElementsAre("http://a:1/metrics", "http://b:1/metrics",
                                                  "http://c:1/metrics"));
  discovery_.Apply({}, {});
  EXPECT_THAT(inbox_.Next(), IsEmpty());
}

TEST_F(DiscoveryTest, ChangedFilesAreSeenWithoutWaitingForTheRefreshInterval) {
  discovery_.Apply({Job("two", {}, {dir_.File("*.json")})}, {});
  EXPECT_THAT(inbox_.Next(), IsEmpty());
  dir_.Write("t.json", R"([{"targets": ["a:1"]}])");
  EXPECT_THAT(inbox_.Next(), ElementsAre("http://a:1/metrics"));
  dir_.Write("t.json.new", R"([{"targets": ["b:1"]}])");
  std::filesystem::rename(dir_.File("t.json.new"), dir_.File("t.json"));
  EXPECT_THAT(inbox_.Next(), ElementsAre("http://b:1/metrics"));
  std::filesystem::remove(dir_.File("t.json"));
  EXPECT_THAT(inbox_.Next(), IsEmpty());
}

TEST_F(DiscoveryTest, AReloadKeepsTheLastGoodContentOfABrokenFile) {
  const std::string file = dir_.Write("t.json", R"([{"targets": ["a:1"]}])");
  discovery_.Apply({Job("two", {}, {file})}, {});
  EXPECT_THAT(inbox_.Next(), ElementsAre("http://a:1/metrics"));
  dir_.Write("t.json", "[{");
  discovery_.Apply({Job("two", {"s:1"}, {file})}, {});
  EXPECT_THAT(inbox_.Next(), ElementsAre("http://s:1/metrics", "http://a:1/metrics"));
  ASSERT_EQ(discovery_.files().size(), 1);
  EXPECT_EQ(discovery_.files()[0].job_name, "two");
  EXPECT_EQ(discovery_.files()[0].status.file, file);
  EXPECT_NE(discovery_.files()[0].status.error, "");
}

TEST(DiscoveryOfLogs, StaticAndFileTargets) {
  TempDir dir;
  const std::string file = dir.Write(
      "t.json", R"([{"targets": ["localhost"], "labels": {"__path__": "/var/log/b/*.log"}}])");
  Mutex mu;
  CondVar changed;
  std::vector<std::string> paths, jobs;
  bool came = false;
  Discovery discovery([](TargetSet) {},
                      [&](DiscoveredLogs logs) {
                        MutexLock lock(mu);
                        came = true;
                        jobs = logs.job_names;
                        for (const LogTarget& target : logs.targets) paths.push_back(target.path);
                        changed.NotifyAll();
                      });
  LogJob named;
  named.job_name = "logs";
  LogJobConfig job;
  job.job = std::make_shared<const LogJob>(std::move(named));
  job.static_groups = {{"static", {"localhost"}, {{"__path__", "/var/log/a/*.log"}}, {}}};
  job.file_discoveries = {{{file}, absl::Minutes(5)}};
  LogJob other;
  other.job_name = "finds nothing";
  LogJobConfig empty;
  empty.job = std::make_shared<const LogJob>(std::move(other));
  discovery.Apply({Job("logs", {}, {file})}, {}, "", {job, empty});
  MutexLock lock(mu);
  for (int i = 0; i < 300 && !came; ++i) changed.WaitFor(mu, absl::Milliseconds(100));
  EXPECT_THAT(paths, ElementsAre("/var/log/a/*.log", "/var/log/b/*.log"));
  EXPECT_THAT(jobs, ElementsAre("logs", "finds nothing"));
  EXPECT_EQ(discovery.files().size(), 2u);
}

}  // namespace
}  // namespace ampari
