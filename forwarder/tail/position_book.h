// PositionBook: how far each file counts as read: what was pushed last, or told by the gateway.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/frame/log_frame.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/file_key.h"

namespace ampari {

struct BookedPosition {
  LogPosition at;
  bool known = false;        // by the gateway; false: the next part of the file says `first`
  bool used = false;         // a file that is there has it
  bool used_lately = false;  // since the last TakeUnused()
  std::optional<absl::Duration> gone_at;  // monotonic; its file was there and is not any more
};

// Not thread-safe. As large as what the gateway keeps.
class PositionBook {
 public:
  // A file that is gone may come back, with its directory or under its old name.
  static constexpr absl::Duration kKeepGone = absl::Hours(1);
  // When more positions than this are known, those of gone files go at once.
  static constexpr size_t kCrowded = 50'000;
  static constexpr size_t kMaxPositions = 100'000;  // a gateway refuses more of one producer

  // Whether the gateway told what it knows. Before that nothing may be read.
  bool told() const { return told_; }
  uint64_t round() const { return round_; }
  // Of this producer with the gateway; older files begin at their end.
  absl::Time first_contact() const { return first_contact_; }

  // Files that are in use and that the gateway does not know keep their place and say `first`.
  void TakeOver(const LogDirections& directions, absl::Time now);

  const BookedPosition* Find(const FileKey& key) const;
  // No further file may begin.
  bool full() const { return positions_.size() >= kMaxPositions; }
  // A file that is not in the book.
  void Begin(const FileKey& key, const LogPosition& at);
  void Use(const FileKey& key);
  // Its file is not followed any more.
  void Leave(const FileKey& key);
  void Pushed(const FileKey& key, const LogPosition& upto);
  void Forget(const FileKey& key) { positions_.erase(key); }
  // Its file is gone, and is not followed any more.
  void Lose(const FileKey& key, absl::Duration now);
  // Positions whose files have been gone for kKeepGone; they are forgotten.
  std::vector<FileKey> TakeGone(absl::Duration now);
  // Positions that no file has had since the last call; they are forgotten.
  std::vector<FileKey> TakeUnused();
  size_t size() const { return positions_.size(); }

 private:
  bool told_ = false;
  uint64_t round_ = 0;
  absl::Time first_contact_;
  absl::flat_hash_map<FileKey, BookedPosition> positions_;
  // As they were lost; those that came back since, or were forgotten, count no more.
  std::deque<std::pair<absl::Duration, FileKey>> gone_;
};

}  // namespace ampari
