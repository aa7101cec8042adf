// Records: what a queue holds, one frame each. Bytes and keys are in FORMAT.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari {

enum class Signal : uint8_t { kMetrics = 1, kLogs = 2 };

inline constexpr uint32_t kLanes = 64;  // fixed by the store format

// 1..; given by the store to an instance at its first hello, never reused.
using InstanceNumber = uint32_t;
// Of queues and destinations: given once, never reused.
using Generation = uint32_t;

struct RecordHeader {
  InstanceNumber instance = 0;
  uint8_t lane = 0;
  uint64_t frame_sequence = 0;    // the instance's
  uint64_t items = 0;             // samples or lines of this frame
  uint64_t cumulative_items = 0;  // of the queue, this frame included
  int64_t intake_ms = 0;          // persisted clock
  int64_t origin_ms =
      0;  // intake less the wait in the ring, never before the instance's previous one
  // Running sums, this record included: bytes of the queue, and items, records and bytes of the
  // lane.
  uint64_t cumulative_bytes = 0;
  uint64_t lane_items = 0, lane_frames = 0, lane_bytes = 0;
};

// Shared and immutable, so that the live cache and every destination read the same bytes.
struct Record {
  uint64_t sequence = 0;  // of the queue
  RecordHeader header;
  std::string frame;  // common/frame/FORMAT.md
};
using RecordPtr = std::shared_ptr<const Record>;

// A frame as it arrived: pieces that together are its bytes, kept alive by `owner` (gRPC slices; no
// copy before the WAL).
struct FrameBytes {
  std::vector<std::string_view> pieces;
  std::shared_ptr<const void> owner;
  size_t size() const;
};

inline constexpr size_t kRecordHeaderBytes = 96;

// The head of a stored record; `sequence` is its key and guards against a misplaced value.
std::string EncodeRecordHeader(const RecordHeader& header, uint64_t sequence, uint32_t frame_bytes);
// DataLoss: too short, another version, a wrong checksum or length.
absl::StatusOr<RecordHeader> DecodeRecordHeader(std::string_view value, uint64_t sequence);
absl::StatusOr<RecordPtr> DecodeRecord(std::string_view value, uint64_t sequence);

// The lane of a producer, fixed by the store format: XXH3-64 of entry, NUL and forwarder name,
// modulo kLanes.
uint8_t LaneOf(std::string_view entry, std::string_view forwarder_name);

}  // namespace ampari
