#include "forwarder/discovery/kubernetes/pod_list.h"

#include <algorithm>
#include <utility>

namespace ampari {
namespace {

bool SameGroup(const TargetGroup& a, const TargetGroup& b) {
  return a.targets == b.targets && a.labels == b.labels && a.target_labels == b.target_labels;
}

}  // namespace

void PodList::BeginList() { listed_.clear(); }

bool PodList::Add(DiscoveredPod pod) {
  if (listed_.size() >= kMaxPods && !listed_.contains(pod.key)) return false;
  std::string key = pod.key;
  listed_.insert_or_assign(std::move(key), std::move(pod));
  return true;
}

bool PodList::EndList() {
  const bool same = std::equal(
      pods_.begin(), pods_.end(), listed_.begin(), listed_.end(), [](const auto& a, const auto& b) {
        return a.first == b.first && SameGroup(a.second.group, b.second.group);
      });
  pods_ = std::move(listed_);
  listed_.clear();
  return !same;
}

bool PodList::HasRoom(const std::string& key) const {
  return pods_.size() < kMaxPods || pods_.contains(key);
}

bool PodList::Upsert(DiscoveredPod pod) {
  if (!HasRoom(pod.key)) return false;
  const auto [known, added] = pods_.try_emplace(pod.key);
  const bool changed = !SameGroup(known->second.group, pod.group);
  known->second = std::move(pod);
  return changed;
}

bool PodList::Remove(const std::string& key) {
  const auto known = pods_.find(key);
  if (known == pods_.end()) return false;
  const TargetGroup& group = known->second.group;
  const bool said_something = !group.targets.empty() || !group.labels.empty();
  pods_.erase(known);
  return said_something;
}

const Labels* PodList::FindLabels(const std::string& key) const {
  const auto known = pods_.find(key);
  return known == pods_.end() ? nullptr : &known->second.group.labels;
}

void PodList::AppendGroups(std::vector<TargetGroup>* groups) const {
  for (const auto& [key, pod] : pods_) {
    if (!pod.group.targets.empty()) groups->push_back(pod.group);
  }
}

}  // namespace ampari
