// LabelCopy: which bytes of a series' encoded labels repeat those of the series before it, found
// once per layout, so that requests are compressed without searching. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ampari {

// Bytes [at, at + size) of the labels are bytes [from, from + size) of the earlier ones. Copies
// beyond the first 64 KiB of a series' labels are left out.
struct LabelCopy {
  uint16_t at = 0, from = 0, size = 0;
  friend bool operator==(const LabelCopy&, const LabelCopy&) = default;
};

// Both are `labels` fields as AppendLabelFields writes them, sorted by name. Appends copies in
// ascending, disjoint order: equal fields, and names and ends of values that differ, neighbours
// joined. Other bytes give no copies.
void AppendLabelCopies(std::string_view earlier, std::string_view labels,
                       std::vector<LabelCopy>& copies);

}  // namespace ampari
