// RetiredFiles: positions of log files that are gone, for as long as somebody may still speak of
// them. Pure memory: no I/O, no clock, no lock.
//
// A forwarder retires a file when it is gone and everything of it is stored. Another instance of
// the same forwarder may have frames of it in its ring for hours: it was stopped, cut off, or it
// waits for its turn; and it may come back under a new number. So to all but the one that retired
// it the file stays known, and compare-and-set refuses what would double a line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/frame/log_frame.h"
#include "gateway/store/record.h"

namespace ampari {

// An instance that is new so soon after a retirement is waited for as one that was there: it may
// have waited for the gateway with the file open.
inline constexpr int64_t kLatecomerMs = 60 * 1000;
// An instance that has been connected for so long since a retirement has sent what it had before.
inline constexpr int64_t kCaughtUpMs = int64_t{60} * 60 * 1000;

struct RetiredFile {
  LogPosition at;
  std::string name;            // for people
  int64_t retired_ms = 0;      // persisted clock
  InstanceNumber by = 0;       // who said so; to him it is unknown
  InstanceNumber present = 0;  // the highest instance that may have read it
};

// An instance that has not said that it has drained.
struct LateSpeaker {
  InstanceNumber number = 0;
  int64_t connected_ms = 0;  // for so long; 0 while it has no stream, or another one supersedes it
};
// Whether one of the speakers may yet send what it read of the file.
bool IsAwaited(const RetiredFile& file, const std::vector<LateSpeaker>& speakers, int64_t now_ms);

// Not thread-safe. As many as its owner leaves.
class RetiredFiles {
 public:
  void Add(const std::string& key, RetiredFile file);
  bool Remove(const std::string& key);
  // As `instance` is to see it; null: the store has never heard of it.
  const RetiredFile* Find(const std::string& key, InstanceNumber instance) const;
  // What is written down of it; null: nothing.
  const RetiredFile* Stored(const std::string& key) const;
  // `instance` came at `now_ms`: the keys of those that it is late for.
  std::vector<std::string> MeetLatecomer(InstanceNumber instance, int64_t now_ms);
  // Forgets those that are not `awaited`; their keys.
  std::vector<std::string> Sweep(const std::function<bool(const RetiredFile&)>& awaited);
  // Forgets the one that was retired first; its key. There is one.
  std::string PopOldest();
  size_t size() const { return files_.size(); }
  bool empty() const { return files_.empty(); }

 private:
  std::map<std::string, RetiredFile> files_;           // by key
  std::set<std::pair<int64_t, std::string>> by_time_;  // of retirement
};

}  // namespace ampari
