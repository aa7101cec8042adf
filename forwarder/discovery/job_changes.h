// JobChanges: which jobs' targets came or went between one set of targets and the next, for the
// log.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "forwarder/scrape/target.h"

namespace ampari {

struct JobChange {
  std::string job_name;
  uint64_t count = 0;  // targets now
  uint64_t added = 0, removed = 0;
};

// Remembers the ids of the last set. Not thread-safe.
class JobChanges {
 public:
  // By job name; jobs without a change are left out.
  std::vector<JobChange> Take(const std::vector<Target>& targets);

 private:
  std::map<std::string, std::set<std::string>> ids_;  // by job name
};

}  // namespace ampari
