// PodList: the pods of one watched collection as its list and watch requests told them. Pure
// bookkeeping: no I/O, no clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "forwarder/discovery/kubernetes/pod_targets.h"

namespace ampari {

// Thread-compatible. A list replaces everything only once its last page has come; a list that broke
// off, and an API server that cannot be reached, change nothing.
class PodList {
 public:
  static constexpr size_t kMaxPods = 50'000;

  void BeginList();
  // A page's item; false when there is no room for it.
  bool Add(DiscoveredPod pod);
  // True when any group changed.
  bool EndList();
  // Watch events; true when a group changed. Upsert() of a pod that HasRoom() refuses changes
  // nothing.
  bool HasRoom(const std::string& key) const;
  bool Upsert(DiscoveredPod pod);
  bool Remove(const std::string& key);

  size_t size() const { return pods_.size(); }
  size_t listed() const { return listed_.size(); }  // by the list that is under way
  // Labels of the group of that key; null: there is none.
  const Labels* FindLabels(const std::string& key) const;
  // In the order of the keys; pods without targets have no group.
  void AppendGroups(std::vector<TargetGroup>* groups) const;

 private:
  std::map<std::string, DiscoveredPod> pods_, listed_;  // by key
};

}  // namespace ampari
