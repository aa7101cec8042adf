#include "forwarder/discovery/job_changes.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

// Targets as "job/id".
std::string Take(JobChanges& changes, const std::vector<std::string>& targets) {
  std::vector<Target> set;
  for (const std::string& text : targets) {
    Target& target = set.emplace_back();
    auto job = std::make_shared<ScrapeJob>();
    job->job_name = text.substr(0, text.find('/'));
    target.job = std::move(job);
    target.id = text;
  }
  std::string words;
  for (const JobChange& change : changes.Take(set)) {
    absl::StrAppend(&words, change.job_name, "=", change.count, " +", change.added, " -",
                    change.removed, ";");
  }
  return words;
}

TEST(JobChanges, SaysWhatCameAndWent) {
  JobChanges changes;
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{}, ""},
      {{"a/1", "a/2", "b/1"}, "a=2 +2 -0;b=1 +1 -0;"},
      {{"b/1", "a/2", "a/1"}, ""},
      {{"a/2", "a/3", "b/1"}, "a=2 +1 -1;"},
      {{"a/2", "a/3"}, "b=0 +0 -1;"},
      {{"a/2", "a/3"}, ""},
      {{}, "a=0 +0 -2;"},
  };
  for (const auto& [targets, want] : rows) EXPECT_EQ(Take(changes, targets), want);
}

}  // namespace
}  // namespace ampari
