// Registration blocks: series and layouts, sent once, before the first frame that refers to them.
// Pure codec; the bytes are in FORMAT.md.
//
// A block belongs to one target of one instance. It registers a contiguous range of series numbers
// and a contiguous range of layout numbers; numbers are unique per instance and never reused. A
// block is retired as a whole, when no living layout uses any of its series or builds on any of its
// layouts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"

namespace ampari {

// One run of a layout's positions: `count` consecutive series numbers from `first`, or, with
// `from_base`, `count` positions of the base layout from position `first`.
struct LayoutRun {
  bool from_base = false;
  uint64_t first = 0;
  uint32_t count = 0;
  friend bool operator==(const LayoutRun&, const LayoutRun&) = default;
};

inline constexpr int kMaxEditChain = 16;
inline constexpr uint32_t kMaxLayoutPositions = uint32_t{16} << 20;

struct Layout {
  uint64_t base = 0;  // 0: built on no other; else an earlier layout of the same target, at most
                      // kMaxEditChain deep
  uint32_t size = 0;  // positions in all
  std::vector<LayoutRun> runs;
  friend bool operator==(const Layout&, const Layout&) = default;
};

struct RegistrationBlock {
  uint64_t number = 0;        // of the block, per instance, from 1
  uint64_t first_series = 0;  // number of series[0], from 1
  std::vector<Labels> series;
  uint64_t first_layout = 0;  // number of layouts[0], from 1
  std::vector<Layout> layouts;
  friend bool operator==(const RegistrationBlock&, const RegistrationBlock&) = default;
};

// What can be known of an encoded block without decompressing it.
struct RegistrationHeader {
  uint64_t number = 0;
  uint64_t first_series = 0;
  uint32_t series = 0;
  uint64_t first_layout = 0;
  uint32_t layouts = 0;
  uint32_t raw_bytes = 0;
};

inline constexpr size_t kMaxRegistrationRawBytes = size_t{64} << 20;
// Of the decoded series and layouts of one block: what a small block may make a decoder allocate.
inline constexpr size_t kMaxRegistrationLabelBytes = size_t{512} << 20;

// `block` stays within the limits above.
std::string EncodeRegistration(const RegistrationBlock& block);
// Checks version, lengths and checksum. DataLoss says what is wrong.
absl::StatusOr<RegistrationHeader> ParseRegistrationHeader(std::string_view bytes);
absl::StatusOr<RegistrationBlock> DecodeRegistration(std::string_view bytes);

}  // namespace ampari
