// MetaLabels: the __meta_kubernetes_ labels of an object under construction, as Prometheus names
// them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/labels/labels.h"

namespace ampari {

// Not thread-safe. Of keys that become the same name the last by bytes wins.
class MetaLabels {
 public:
  // __meta_kubernetes_<name>.
  void Set(std::string_view name, std::string_view value);
  // <kind>_<key> and <kind>present_<key> of each pair, each character of a key that a label name
  // cannot hold as one underscore.
  void AddPairs(std::string_view kind,
                const std::vector<std::pair<std::string_view, std::string_view>>& pairs);
  Labels Build() const;

 private:
  std::map<std::string, std::string> labels_;  // a LabelsBuilder that looks for names is quadratic
};

// The label's whole name.
std::string MetaName(std::string_view name);

}  // namespace ampari
