// TailScope: what all sequences of one tailer share. Owned by its engine, used by its one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "forwarder/tail/file_key.h"
#include "forwarder/tail/line_outlet.h"
#include "forwarder/tail/position_book.h"
#include "forwarder/tail/tail_flush.h"

namespace ampari {

// Of the tailer's life; what living files have counted is added when they end.
struct TailTotals {
  LineCounts lines;
  uint64_t rotated_unread_bytes = 0, skipped_bytes = 0;
  uint64_t rereads = 0, truncations = 0, rotations = 0, compressed_files = 0, refused_files = 0;
};

struct TailScope {
  static constexpr size_t kReadBytes = size_t{256} << 10;  // at a time
  static constexpr size_t kMaxOpenFiles = 10'000;
  // Compressed files that are read at the same time, of half a megabyte each.
  static constexpr size_t kMaxInflating = 32;

  PositionBook book;
  TailFlush flush{&book};
  std::vector<char> buffer = std::vector<char>(kReadBytes);
  TailTotals totals;
  // A key is read from one place only.
  absl::flat_hash_map<FileKey, TailedFile*> owners;
  size_t open_files = 0;
  size_t inflating = 0;
  size_t flush_bytes = 0;            // the flush is full with so many
  std::vector<std::string> retired;  // keys, to be told
  absl::Duration now;                // monotonic, of this step
  absl::Time wall;
};

}  // namespace ampari
