// Housekeeping: the thread that looks after age, budgets, the disk's reserve, trimmed files,
// forgotten instances and the slow recount. It decides; the committer writes.
#pragma once

#include <map>
#include <string>
#include <thread>

#include "gateway/store/disk_reserve.h"
#include "gateway/store/expiry.h"
#include "gateway/store/inbox.h"
#include "gateway/store/vault.h"

namespace ampari {

inline constexpr absl::Duration kRecountInterval = absl::Hours(1);
inline constexpr uint64_t kDropFilesEvery = uint64_t{64}
                                            << 20;  // bytes trimmed between drops of whole files

class Housekeeping {
 public:
  // Both must outlive it.
  Housekeeping(Vault& vault, Inbox& inbox) : vault_(vault), inbox_(inbox) {}
  ~Housekeeping() { Join(); }
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  void Start();
  // After Inbox::Stop.
  void Join();

 private:
  void Run();
  void Standings();
  void ExpireByAge();
  void ExpireByBudget();
  void Expire(const QueueImage& image, const ExpiryGoal& goal, const std::string& reason);
  void GuardReserve();
  void DropTrimmedFiles();
  void RecountAll();

  Vault& vault_;
  Inbox& inbox_;
  absl::Duration recounted_at_, dropped_at_;
  std::thread thread_;
};

}  // namespace ampari
