// InheritedSeries: the series of the current layout whose text is to be read anew (new rules, or
// too many blocks): by their labels, so that the next good scrape keeps their numbers and finds out
// which vanished.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "forwarder/scrape/series_table.h"

namespace ampari {

struct InheritedSeriesEntry {
  uint64_t number = 0;              // 0 when it is to be registered anew
  uint64_t held = 0;                // the number that is held in the books
  uint32_t position = kNoPosition;  // in the current layout
  bool tracked = false;             // gets a staleness marker when it vanishes
  uint32_t seen = 0;                // the last scrape that had it
};

using InheritedSeries = absl::flat_hash_map<uint64_t, InheritedSeriesEntry>;  // by hash of labels

}  // namespace ampari
