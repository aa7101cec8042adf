#include "gateway/intake/stream_budget.h"

#include "absl/strings/str_cat.h"

namespace ampari {

absl::Status StreamBudget::Admit(const std::string& entry) {
  MutexLock lock(mu_);
  if (total_ >= limits_.max_streams) {
    return absl::ResourceExhaustedError(absl::StrCat("this gateway has ", limits_.max_streams,
                                                     " streams already, which is its bound"));
  }
  uint32_t& streams = streams_[entry];
  if (streams >= limits_.max_streams_per_entry) {
    return absl::ResourceExhaustedError(absl::StrCat("the entry \"", entry, "\" has ",
                                                     limits_.max_streams_per_entry,
                                                     " streams already, which is its bound"));
  }
  ++streams;
  ++total_;
  return absl::OkStatus();
}

void StreamBudget::Release(const std::string& entry) {
  MutexLock lock(mu_);
  const auto found = streams_.find(entry);
  if (found == streams_.end()) return;
  --total_;
  if (--found->second == 0) streams_.erase(found);
}

std::map<std::string, uint32_t> StreamBudget::streams() const {
  MutexLock lock(mu_);
  return streams_;
}

}  // namespace ampari
