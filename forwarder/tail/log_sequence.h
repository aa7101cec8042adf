// LogSequence: the log files of one container, or of one name, in the order in which they were
// written: read one after the other, so that a stream's lines leave in the order of time.
//
// A look tells it what stands in the directory. A file is met by its inode, and where that does not
// tell, by its key: a renamed, copied or compressed file is the one that it was. A successor is
// begun when the older file is at its end and its writer has gone on: it is compressed, two newer
// ones are there, or a newer one is there for kGrace. What is open is read to its end when no name
// leads to it any more, and what its writer appends, until that is quiet for kQuietAfter.
//
// A file that is shorter than what was read of it, now or when the gateway was told, is another
// generation of its first line. Where lines have no time it was written anew and is read from its
// beginning. Times prove that it is the old file, cut: it is read on from its end, since its lines
// were read; a rotated one is done. Where only unread bytes were cut, these are counted.
//
// Rotation as kubelet does it: kubernetes pkg/kubelet/logs/container_log_manager.go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/tail_scope.h"
#include "forwarder/tail/tailed_file.h"

namespace ampari {

// How a target's files are read. What it points to outlives the use.
struct ReadingPlan {
  const LogJob* job = nullptr;
  LinePlan* lines = nullptr;
};

enum class TurnEnd : uint8_t {
  kIdle,   // nothing further is there
  kMore,   // the turn's budget is used up
  kFull,   // the flush is full
  kLook,   // something vanished or was rewritten: look at the directory, then go on
  kWaits,  // for a moment to pass: an end that is not certain yet
};

struct MeasureEnd {
  bool look = false;    // look at the directory
  bool unread = false;  // there is something to read
};

// Not thread-safe. The scope must outlive it.
class LogSequence {
 public:
  // A writer goes on writing to a renamed file until it has opened the new one.
  static constexpr absl::Duration kGrace = absl::Seconds(1);
  // A listing can miss a file that is being renamed: what was lost is looked for again.
  static constexpr absl::Duration kLostAfter = absl::Seconds(1);
  static constexpr absl::Duration kRetireAfter = absl::Seconds(10);
  // At its end and not written to for so long: parts of lines wait no longer for the rest, and a
  // file that was deleted is not held open for its writer any more.
  static constexpr absl::Duration kQuietAfter = absl::Minutes(1);
  // A file that cannot be read (a bad disk) holds up those that follow for so long.
  static constexpr absl::Duration kGiveUpAfter = absl::Minutes(1);

  // Of one first line, at the same time; further ones are refused.
  static constexpr uint32_t kMaxGenerations = 16;

  // `directory` names pod and container.
  LogSequence(std::string_view directory, TailScope* scope);
  ~LogSequence();
  LogSequence(const LogSequence&) = delete;
  LogSequence& operator=(const LogSequence&) = delete;

  // A look: Begin, Meet for every file, rotated ones first, End. True: look again at once.
  void BeginLook();
  // Why a file is not read: it cannot be opened, or another path has the same identity.
  absl::Status Meet(const ListedLog& listed, const LineLimits& limits);
  bool EndLook(bool directory_gone);

  // Reads `*budget` bytes at most.
  TurnEnd Turn(const ReadingPlan& plan, size_t* budget);
  // Takes note of sizes without reading: there is no room.
  MeasureEnd Measure();
  // Of files that no name leads to, and that are held open because they are not read yet.
  uint64_t held_bytes() const;
  // Gives up the oldest of those; its rest is counted. False: there is none.
  bool GiveUpOldestHeld();

  // When another look is due because of what the last one found; InfiniteDuration: none.
  absl::Duration look_at() const { return look_at_; }
  bool empty() const { return files_.empty(); }
  const std::vector<std::unique_ptr<TailedFile>>& files() const { return files_; }

 private:
  using Files = std::vector<std::unique_ptr<TailedFile>>;

  // Looks.
  bool WasRewritten(TailedFile& file);
  bool IsShorter(TailedFile& file);
  TailedFile* FindByStamp(const ListedLog& listed);
  void SeeAs(TailedFile& file, const ListedLog& listed);
  absl::StatusOr<std::unique_ptr<TailedFile>> Open(const ListedLog& listed,
                                                   const LineLimits& limits);
  std::optional<std::string> Identify(TailedFile& file, bool final);
  int64_t TimeOfFirstLine(TailedFile& file, const std::string& head);
  absl::Status Settle(std::unique_ptr<TailedFile> candidate,
                      const std::optional<std::string>& head);
  bool IsOurs(const TailedFile& file) const;
  bool IsAnotherGeneration(const TailedFile& known, const TailedFile& candidate) const;
  void BeTheSame(TailedFile& known, TailedFile& candidate);
  void Insert(std::unique_ptr<TailedFile> file);
  void Sort();
  void CountNewer();
  // Turns.
  TurnEnd TurnOf(size_t index, const ReadingPlan& plan, size_t* budget);
  TurnEnd ReadOn(TailedFile& file, const ReadingPlan& plan, size_t* budget);
  TurnEnd IdentifyWaiting();
  TurnEnd IdentifyLate(size_t index);
  bool Start(TailedFile& file, const ReadingPlan& plan);
  bool IsOver(size_t index) const;
  void Fail(TailedFile& file, const absl::Status& why);
  bool IsHopeless(const TailedFile& file) const;
  bool IsQuiet(const TailedFile& file) const { return scope_.now - file.grown_at >= kQuietAfter; }
  void LetPartsGo(TailedFile& file, const ReadingPlan& plan);
  static bool IsBeyond(const BookedPosition& booked, const TailedFile& file);
  const BookedPosition* FindGeneration(TailedFile& file);
  static void NoteCut(TailedFile& file);
  void StartUnknown(TailedFile& file, const LogJob& job);
  void Finish(TailedFile& file, const ReadingPlan& plan);
  void CountUnread(TailedFile& file, uint64_t bytes);
  void CountRest(TailedFile& file);
  void TouchIfMoved(TailedFile& file);
  // Ends.
  void LoseSource(TailedFile& file);
  void CloseSource(TailedFile& file);
  void GiveUp(TailedFile& file, const ReadingPlan& plan);
  void RetireAbsent();
  void Remove(size_t index);
  void LookBy(absl::Duration at) { look_at_ = std::min(look_at_, at); }

  TailScope& scope_;
  const std::string pod_, container_;
  Files files_;
  uint64_t look_ = 0, next_serial_ = 0;
  bool lost_in_look_ = false;
  bool no_file_in_look_ = false;  // too many were open: what follows is not opened either
  bool no_file_before_ = false;   // in the look before
  std::optional<absl::Duration> directory_gone_at_;
  absl::Duration look_at_ = absl::InfiniteDuration();
};

}  // namespace ampari
