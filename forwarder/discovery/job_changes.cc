#include "forwarder/discovery/job_changes.h"

#include <algorithm>
#include <utility>

namespace ampari {
namespace {

uint64_t CountMissing(const std::set<std::string>& ids, const std::set<std::string>& in) {
  return static_cast<uint64_t>(
      std::count_if(ids.begin(), ids.end(), [&](const auto& id) { return !in.contains(id); }));
}

}  // namespace

std::vector<JobChange> JobChanges::Take(const std::vector<Target>& targets) {
  std::map<std::string, std::set<std::string>> now;
  for (const auto& [job_name, ids] : ids_) now[job_name];
  for (const Target& target : targets) now[target.job->job_name].insert(target.id);
  std::vector<JobChange> changes;
  for (const auto& [job_name, ids] : now) {
    const std::set<std::string>& before = ids_[job_name];
    JobChange change{job_name, ids.size(), CountMissing(ids, before), CountMissing(before, ids)};
    if (change.added + change.removed > 0) changes.push_back(std::move(change));
  }
  std::erase_if(now, [](const auto& job) { return job.second.empty(); });
  ids_ = std::move(now);
  return changes;
}

}  // namespace ampari
