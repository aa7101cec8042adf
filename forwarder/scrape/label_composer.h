// LabelComposer: from a lexed series to the labels its samples carry, as Prometheus 3's scrape loop
// makes them: le and quantile normalised, target labels by the honor_labels rules,
// metric_relabel_configs, then name validity (legacy scheme), label limits and unique names.
//
// Used by one thread at a time; keeps buffers between calls. The target must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/labels/labels.h"
#include "forwarder/scrape/exposition.h"
#include "forwarder/scrape/target.h"

namespace ampari {

enum class ComposeResult : uint8_t {
  kKept,
  kDropped,    // by metric_relabel_configs
  kFailed,     // fails the whole scrape
  kOverLimit,  // likewise, by a limit of the job
};

class LabelComposer {
 public:
  // `target` must outlive the composer's use of it.
  void SetTarget(const Target& target) { target_ = &target; }
  // `type` is that of the last TYPE line. `*error` is written on kFailed and kOverLimit.
  ComposeResult Compose(const LexedSeries& series, MetricType type, Labels* out,
                        std::string* error);

 private:
  std::string_view Text(const LexedText& text);
  std::string_view Normalised(std::string_view name, std::string_view value, MetricType type);
  void AddScraped(std::string_view name, std::string_view value);
  void AddTargetLabels();
  void AddConflicting(std::vector<Label> conflicts);
  bool MayHave(std::string_view name) const;

  const Target* target_ = nullptr;
  LabelsBuilder builder_;
  std::deque<std::string> unescaped_;          // what builder_ has views of
  std::vector<std::string_view> empty_names_;  // scraped with an empty value
  uint64_t names_seen_ = 0;  // one bit per scraped name, by a tiny hash: most look-ups end here
};

}  // namespace ampari
