// Symbols: the texts of one registration block, each stored once. Names are numbered in bytewise
// order, so that a series sorted by name is sorted by number; values in the order in which they
// first occur. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/frame/varint.h"

namespace ampari {

// Numbers texts in the order of their first Add(). Keeps views: the texts must outlive it.
class SymbolTable {
 public:
  uint32_t Add(std::string_view text);
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  absl::flat_hash_map<std::string_view, uint32_t> numbers_;
  std::vector<std::string_view> texts_;
};

void AppendSymbols(const std::vector<std::string_view>& texts, std::string* out);
// Views into the cursor's bytes. False when cut, or when a text is empty.
bool ReadSymbols(ByteCursor* in, std::vector<std::string_view>* texts);

}  // namespace ampari
