// Sets built from what is remembered equal sets built anew.
#include "forwarder/discovery/target_set_builder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

// Keeps what says scrape, and gives all targets of a pod one address.
std::shared_ptr<const ScrapeJob> Job(const std::string& name, uint64_t keep_dropped = 0) {
  RelabelRule keep, address;
  keep.action = RelabelAction::kKeep;
  keep.source_labels = {"__meta_scrape"};
  keep.regex = "true";
  address.source_labels = {"__meta_pod"};
  address.regex = "(.+)";
  address.target_label = "__address__";
  ScrapeJob job;
  job.job_name = name;
  job.keep_dropped_targets = keep_dropped;
  job.relabel = Relabeler::Compile({{keep, address}}).value();
  return std::make_shared<const ScrapeJob>(std::move(job));
}

TargetGroup Pod(const std::string& name, bool scrape = true, int ports = 2) {
  TargetGroup group{"pod/" + name, {}, {{"__meta_pod", name}}, {}};
  for (int port = 0; port < ports; ++port) {
    group.targets.push_back(absl::StrCat(name, ":", port));
    group.target_labels.push_back({{"__meta_scrape", scrape ? "true" : "false"}});
  }
  return group;
}

// Everything that can be seen of a set.
std::string Text(const TargetSet& set) {
  std::string text = absl::StrCat(set.dropped_total, "\n");
  for (const Target& target : set.targets) {
    absl::StrAppend(&text, target.job->job_name, " ", target.url, " ", target.labels.ToString(),
                    target.internal_labels.ToString(), target.discovered_labels.ToString(), "\n");
  }
  for (const DroppedTarget& target : set.dropped) {
    absl::StrAppend(&text, target.job_name, " ", target.reason, " ",
                    target.discovered_labels.ToString(), "\n");
  }
  return text;
}

TEST(TargetSetBuilderTest, OnlyWhatChangedIsBuilt) {
  TargetSetBuilder builder;
  JobTargets job{Job("a"), {Pod("p"), Pod("q"), Pod("r")}};
  EXPECT_EQ(builder.Build({{job}}, {}).targets.size(), 3);
  EXPECT_EQ(builder.groups_built(), 3);
  job.groups[1] = Pod("q", true, 3);
  EXPECT_EQ(Text(builder.Build({{job}}, {})), Text(BuildTargetSet({{job}}, {})));
  EXPECT_EQ(builder.groups_built(), 4);
  job.groups.erase(job.groups.begin());
  job.groups.push_back(Pod("s"));
  EXPECT_EQ(Text(builder.Build({{job}}, {})), Text(BuildTargetSet({{job}}, {})));
  EXPECT_EQ(builder.groups_built(), 5);
  // What went is forgotten.
  job.groups.push_back(Pod("p"));
  (void)builder.Build({{job}}, {});
  EXPECT_EQ(builder.groups_built(), 6);
}

TEST(TargetSetBuilderTest, AJobOrExternalLabelsAnewBuildAllAnew) {
  TargetSetBuilder builder;
  JobTargets job{Job("a"), {Pod("p"), Pod("q")}};
  (void)builder.Build({{job}}, {});
  EXPECT_EQ(builder.Build({{job}}, {{"mesh", "m"}}).targets[0].labels.Get("mesh"), "m");
  EXPECT_EQ(builder.groups_built(), 4);
  job.job = Job("a");
  EXPECT_EQ(builder.Build({{job}}, {{"mesh", "m"}}).targets[0].job, job.job);
  EXPECT_EQ(builder.groups_built(), 6);
}

TEST(TargetSetBuilderTest, DroppedTargetsAppearWhenThereIsRoom) {
  TargetSetBuilder builder;
  JobTargets job{Job("a", 3), {Pod("p", false), Pod("q", false), Pod("r", false)}};
  EXPECT_EQ(Text(builder.Build({{job}}, {})), Text(BuildTargetSet({{job}}, {})));
  job.groups.erase(job.groups.begin());
  const TargetSet set = builder.Build({{job}}, {});
  EXPECT_EQ(set.dropped.size(), 3);
  EXPECT_EQ(Text(set), Text(BuildTargetSet({{job}}, {})));
}

TEST(TargetSetBuilderTest, RandomChangesAgainstSetsBuiltAnew) {
  std::mt19937 random(7);
  TargetSetBuilder builder;
  std::vector<JobTargets> jobs = {{Job("a", 5), {}}, {Job("b"), {}}};
  for (int round = 0; round < 300; ++round) {
    std::vector<TargetGroup>& groups = jobs[random() % 2].groups;
    // Few names, so that some pods are found twice and some come again otherwise.
    const TargetGroup pod =
        Pod(absl::StrCat("p", random() % 8), random() % 3 > 0, static_cast<int>(random() % 4));
    if (groups.size() > 12 || (!groups.empty() && random() % 3 == 0)) {
      groups.erase(groups.begin() + static_cast<long>(random() % groups.size()));
    } else {
      groups.insert(groups.begin() + static_cast<long>(random() % (groups.size() + 1)), pod);
    }
    ASSERT_EQ(Text(builder.Build(jobs, {})), Text(BuildTargetSet(jobs, {}))) << round;
  }
}

}  // namespace
}  // namespace ampari
