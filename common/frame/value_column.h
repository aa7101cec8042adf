// Value columns: the values of one scrape as a bitmap, varint integers and raw bits. Pure;
// FORMAT.md has the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/frame/varint.h"

namespace ampari {

// Bytes behind the last one that ReadValueColumn may touch (never use): buffers must be this much
// longer.
inline constexpr size_t kColumnPadding = 72;

// Appends count, bitmap, integers, floats. Values are bits of doubles.
void AppendValueColumn(const std::vector<uint64_t>& values, std::string* out);
// Upper bound of what AppendValueColumn appends.
size_t ValueColumnBound(size_t count);
// False when malformed. kColumnPadding bytes after the cursor's last one must be readable.
bool ReadValueColumn(ByteCursor* in, std::vector<uint64_t>* values);

}  // namespace ampari
