// TailEngine: what the tailer's thread does, one step after the other: takes directions over, finds
// directories, looks at those that changed, reads in turns, pushes. Its time is what the clock
// says, so that tests can drive it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/tail/directory_follower.h"
#include "forwarder/tail/log_tailer.h"
#include "forwarder/tail/tail_scope.h"
#include "forwarder/tail/tail_watch.h"

namespace ampari {

// Not thread-safe, but for watch().Wakeup(). The options' clock and functions must outlive it.
class TailEngine {
 public:
  static constexpr absl::Duration kFindEvery = absl::Seconds(30);
  static constexpr absl::Duration kFindUnwatched = absl::Seconds(5);
  // Changes of directories that many targets' globs go through are taken together.
  static constexpr absl::Duration kFindAtMostEvery = absl::Milliseconds(100);
  // Of one step, so that directions and changes are seen in time.
  static constexpr size_t kStepBytes = size_t{8} << 20;
  // Of deleted files that are held open because they are not read yet: the oldest are given up.
  static constexpr uint64_t kMaxHeldBytes = uint64_t{1} << 30;
  // Positions of the gateway that no file had for so long are retired.
  static constexpr absl::Duration kRetireUnusedAfter = absl::Hours(24);
  static constexpr size_t kMaxTargets = 20'000;

  explicit TailEngine(LogTailerOptions options);
  ~TailEngine();
  TailEngine(const TailEngine&) = delete;
  TailEngine& operator=(const TailEngine&) = delete;

  void Apply(LogTargetSet targets);
  // Does what is due and tells how long there is nothing to do, unless the watch tells otherwise.
  absl::Duration Step();
  // At the end: every directory is looked at and read once more, due or not. Then steps that read
  // and push what is there, as far as there is room; false: there is more.
  void BeginDrain();
  bool DrainStep();
  LogTailStatus Status(bool with_files) const;
  TailWatch& watch() { return watch_; }

 private:
  using Claims = std::map<std::string, std::pair<RootedPath, std::vector<DirectoryClaim>>>;

  void NoteRefused(std::vector<RefusedLog> now, std::vector<RefusedLog>* refused);
  void TakeDirections();
  void RewindAll();
  void SeeChanges();
  void FindDirectories();
  void AddLinkClaims(Claims* claims) const;
  void Reconcile();
  bool HasNoJob(const DirectoryFollower& follower) const;
  void WatchDirectories();
  void LookWhereDue();
  bool TakeTurn(DirectoryFollower& follower);
  void MeasureAll();
  void ReadInTurns();
  bool Push();
  void PushIfDue();
  void TellRetired();
  void BoundHeldFiles();
  void RetireUnused();
  absl::Duration NextStep() const;

  const LogTailerOptions options_;
  TailScope scope_;
  TailWatch watch_;
  PlanCounts past_counts_;                                      // of targets that are no more
  std::vector<std::weak_ptr<TailTarget>> living_;               // all that were made
  std::map<std::string, std::shared_ptr<TailTarget>> targets_;  // by job and id
  std::set<std::string> jobs_;                                  // in force
  std::vector<RefusedLog> refused_targets_;
  std::vector<RefusedLog> refused_directories_;  // by the finder
  Claims found_;                                 // by the finder
  std::set<std::string> on_the_way_;             // directories that lead to others
  std::map<std::string, std::unique_ptr<DirectoryFollower>> followers_;  // by path
  std::multimap<std::string, std::string> elsewhere_;  // directory of linked files, follower
  std::string next_turn_;                              // the follower whose turn it is
  absl::Duration find_at_, found_at_, held_at_, unused_at_;
  bool blocked_ = false;
  bool superseded_ = false;
};

}  // namespace ampari
