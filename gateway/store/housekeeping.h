// Housekeeping: the thread that looks after age, budgets, the disk's reserve, trimmed files,
// forgotten instances and the slow recount. It decides; the committer writes.
#pragma once

#include <thread>

#include "gateway/store/inbox.h"
#include "gateway/store/vault.h"

namespace ampari {

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
  void Tick();

  Vault& vault_;
  Inbox& inbox_;
  std::thread thread_;
};

}  // namespace ampari
