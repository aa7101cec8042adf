// DirectoryFollower: one directory of logs, which is one container's as a rule: its files by
// sequence, when to look at it, and when to read.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/tail/log_directory.h"
#include "forwarder/tail/log_sequence.h"
#include "forwarder/tail/tail_scope.h"
#include "forwarder/tail/tail_target.h"

namespace ampari {

// A target's wish for the files of a directory: those whose name meets the pattern.
struct DirectoryClaim {
  std::shared_ptr<TailTarget> target;
  std::string pattern;
  bool literal = false;  // the pattern is a name
  friend bool operator==(const DirectoryClaim&, const DirectoryClaim&) = default;
};

// Not thread-safe. The scope must outlive it. Of several claims to a file the first one has it.
class DirectoryFollower {
 public:
  static constexpr absl::Duration kMinPoll = absl::Milliseconds(10);
  static constexpr absl::Duration kMaxPoll = absl::Seconds(1);
  static constexpr size_t kTurnBytes = size_t{1} << 20;
  // Without news from the kernel, and with.
  static constexpr absl::Duration kLookUnwatched = absl::Seconds(1);
  static constexpr absl::Duration kLookWatched = absl::Seconds(30);
  // Between two looks a millisecond passes for so many entries of all listings of the first one:
  // listing them takes a fraction of it.
  static constexpr size_t kEntriesPerMillisecond = 64;
  // While it is not there; the finder sees it coming.
  static constexpr absl::Duration kLookMissing = absl::Seconds(10);
  // A target that is gone from discovery (its pod was deleted) is read on: until its directory is
  // gone, else for so long and until what is there is read.
  static constexpr absl::Duration kFollowAfterTarget = absl::Minutes(10);

  DirectoryFollower(RootedPath directory, const LinkRoots& roots, TailScope* scope);

  // None: the targets are gone.
  void SetClaims(std::vector<DirectoryClaim> claims);
  void Look(bool watched);
  // At once, but not again and again at a large directory in which much happens.
  void LookSoon() { look_at_ = std::min(look_at_, soonest_look_); }
  bool look_due() const { return look_at_ <= scope_.now; }

  // Reads a turn's worth. kFull: not all that is there was looked at.
  TurnEnd Turn();
  bool turn_due() const { return turn_at_ <= scope_.now; }
  void Measure();  // instead of a turn, when there is no room
  void GoOn();     // there is room again
  void ReadSoon();
  absl::Duration due() const { return std::min(look_at_, turn_at_); }

  bool left() const { return left_at_.has_value(); }
  // Nothing is left to be done here.
  bool done() const;
  // Holds nothing that waits for a push, so it may be destroyed.
  bool touched() const;

  const RootedPath& directory() const { return directory_; }
  const std::string& path() const { return path_; }
  const std::vector<LogLink>& links() const { return links_; }
  const std::vector<DirectoryClaim>& claims() const { return claims_; }
  const std::vector<std::string>& elsewhere() const { return elsewhere_; }
  const std::vector<RefusedLog>& refused() const { return refused_; }

  struct Sequence {
    std::unique_ptr<LogSequence> files;
    std::shared_ptr<TailTarget> target;
  };
  const std::map<std::string, Sequence>& sequences() const { return sequences_; }
  std::map<std::string, Sequence>& sequences() { return sequences_; }

 private:
  const DirectoryClaim* ClaimOf(std::string_view base) const;
  std::string SequenceOf(std::string_view base) const;
  bool Wanted(std::string_view base) const;
  absl::StatusOr<LogListing> List();
  absl::StatusOr<LogListing> ListOnce();
  void KeepBases();
  bool LookOnce(const absl::StatusOr<LogListing>& listing);
  void MeetAll(const LogListing& listing);
  void Refuse(RefusedLog refused);
  TurnEnd TurnOf(Sequence& sequence, size_t* budget);
  void SetNextTurn(bool busy);

  TailScope& scope_;
  const LinkRoots& roots_;
  const RootedPath directory_;
  const std::string path_;
  const bool pod_layout_;
  std::vector<DirectoryClaim> claims_;
  std::map<std::string, Sequence> sequences_;
  std::string next_sequence_;    // whose turn it is
  std::set<std::string> bases_;  // names that are followed
  std::vector<ListedLog> last_listed_;
  std::vector<LogLink> links_;
  std::vector<std::string> elsewhere_;
  std::vector<RefusedLog> refused_;
  std::set<std::string> refused_once_;
  std::optional<absl::Duration> left_at_;  // the targets'
  bool there_ = false;                     // the directory
  bool idle_ = false;                      // all that is there is read
  bool unread_ = false;                    // Measure() found something
  absl::Duration look_at_ = absl::ZeroDuration();
  absl::Duration soonest_look_ = absl::ZeroDuration();
  absl::Duration turn_at_ = absl::ZeroDuration();
  absl::Duration poll_ = kMinPoll;
};

}  // namespace ampari
