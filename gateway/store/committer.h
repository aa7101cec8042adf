// Committer: the one thread that writes. It takes what arrived during the last sync, makes one
// batch of it, writes it synced, and then tells everybody: acknowledgements, refusals, settlements
// done, wakers.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/store/inbox.h"
#include "gateway/store/vault.h"

namespace ampari {

class Committer {
 public:
  // Both must outlive it.
  Committer(Vault& vault, Inbox& inbox) : vault_(vault), inbox_(inbox) {}
  ~Committer() { Join(); }
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void Start();
  // After Inbox::Stop: commits what is left and closes every stream.
  void Join();

 private:
  struct Outcome;

  void Run();
  void CommitWork(Work work);
  void Build(Commit& commit, Work& work, Outcome& outcome);
  void Publish(Commit& commit, Outcome& outcome);
  static void Tell(Outcome& outcome, Work& work, const absl::Status& status);
  // A failed write: ends the process after a failed sync, else opens the store anew and reads
  // everything again.
  void Reopen(const absl::Status& why, Work& work);
  void CloseAllStreams(const absl::Status& why);

  Vault& vault_;
  Inbox& inbox_;
  std::thread thread_;
};

}  // namespace ampari
