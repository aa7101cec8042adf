// WatchLines: cuts the body of a watch, which arrives in pieces, into its events: one JSON object a
// line (Kubernetes API reference, "Efficient detection of changes").
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ampari {

// Thread-compatible. Holds at most one unfinished line.
class WatchLines {
 public:
  // The API server takes objects of about 1.5 MiB, which JSON's escapes can make six times as long.
  static constexpr size_t kMaxLineBytes = size_t{16} << 20;

  // Valid during the call; its first error ends the watch.
  using Consumer = std::function<absl::Status(std::string_view line)>;

  // Hands on each whole line, without its end and unless empty. Returns the consumer's error, or
  // ResourceExhausted when a line is too long; nothing more may be added then.
  absl::Status Add(std::string_view piece, const Consumer& consumer);

 private:
  std::string rest_;  // of a line whose end has not come
};

}  // namespace ampari
