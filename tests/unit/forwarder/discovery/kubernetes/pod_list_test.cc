#include "forwarder/discovery/kubernetes/pod_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DiscoveredPod Pod(const std::string& name, const std::string& address) {
  DiscoveredPod pod;
  pod.key = "n/" + name;
  pod.group.source = "pod/" + pod.key;
  if (!address.empty()) {
    pod.group.targets = {address};
    pod.group.labels = Labels{{"pod", name}};
    pod.group.target_labels = {Labels{{"container", "c"}}};
  }
  return pod;
}

std::vector<std::string> Addresses(const PodList& list) {
  std::vector<TargetGroup> groups;
  list.AppendGroups(&groups);
  std::vector<std::string> all;
  for (const TargetGroup& group : groups) {
    all.insert(all.end(), group.targets.begin(), group.targets.end());
  }
  return all;
}

TEST(PodList, AListCountsOnlyWhenItIsWhole) {
  PodList list;
  list.BeginList();
  EXPECT_TRUE(list.Add(Pod("b", "2")));
  EXPECT_TRUE(list.Add(Pod("a", "1")));
  EXPECT_THAT(Addresses(list), IsEmpty());
  EXPECT_TRUE(list.EndList());
  EXPECT_THAT(Addresses(list), ElementsAre("1", "2"));

  list.BeginList();
  list.Add(Pod("c", "3"));
  list.BeginList();  // the one before broke off
  list.Add(Pod("a", "1"));
  EXPECT_THAT(Addresses(list), ElementsAre("1", "2"));
  EXPECT_TRUE(list.EndList());
  EXPECT_THAT(Addresses(list), ElementsAre("1"));

  list.BeginList();
  list.Add(Pod("a", "1"));
  EXPECT_FALSE(list.EndList());  // nothing new
  list.BeginList();
  EXPECT_TRUE(list.EndList());
  EXPECT_THAT(Addresses(list), IsEmpty());
}

TEST(PodList, EventsChangeSinglePods) {
  PodList list;
  EXPECT_TRUE(list.Upsert(Pod("a", "1")));
  EXPECT_FALSE(list.Upsert(Pod("a", "1")));
  EXPECT_TRUE(list.Upsert(Pod("a", "9")));
  EXPECT_THAT(Addresses(list), ElementsAre("9"));
  DiscoveredPod relabelled = Pod("a", "9");
  relabelled.group.target_labels = {Labels{{"container", "d"}}};
  EXPECT_TRUE(list.Upsert(relabelled));
  relabelled.group.labels = Labels{{"pod", "other"}};
  EXPECT_TRUE(list.Upsert(relabelled));
  EXPECT_FALSE(list.Remove("n/b"));
  EXPECT_TRUE(list.Remove("n/a"));
  EXPECT_THAT(Addresses(list), IsEmpty());
}

TEST(PodList, APodWithoutAddressHasNoGroup) {
  PodList list;
  EXPECT_FALSE(list.Upsert(Pod("a", "")));
  EXPECT_EQ(list.size(), 1);
  std::vector<TargetGroup> groups;
  list.AppendGroups(&groups);
  EXPECT_THAT(groups, IsEmpty());
  EXPECT_TRUE(list.Upsert(Pod("a", "1")));
  EXPECT_TRUE(list.Upsert(Pod("a", "")));
  EXPECT_FALSE(list.Remove("n/a"));
}

TEST(PodList, HasABound) {
  PodList list;
  list.BeginList();
  for (size_t i = 0; i < PodList::kMaxPods; ++i) ASSERT_TRUE(list.Add(Pod(std::to_string(i), "")));
  EXPECT_TRUE(list.Add(Pod("0", "")));  // known
  EXPECT_FALSE(list.Add(Pod("one more", "")));
  list.EndList();
  EXPECT_FALSE(list.HasRoom("n/one more"));
  EXPECT_FALSE(list.Upsert(Pod("one more", "1")));
  EXPECT_TRUE(list.Upsert(Pod("0", "1")));
  EXPECT_EQ(list.size(), PodList::kMaxPods);
}

}  // namespace
}  // namespace ampari
