// PodList: the pods of one discovery as its list and watch requests told them. Pure bookkeeping: no
// I/O, no clock.
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
  void BeginList();
  void Add(DiscoveredPod pod);  // a page's item
  // True when any group changed.
  bool EndList();
  // Watch events.
  bool Upsert(DiscoveredPod pod);
  bool Remove(const std::string& key);

  size_t size() const { return pods_.size(); }
  void AppendGroups(std::vector<TargetGroup>* groups) const;  // in the order of the keys

 private:
  std::map<std::string, DiscoveredPod> pods_, listed_;
};

}  // namespace ampari
