// Varints (LEB128, as protobuf's: groups of seven bits, the lowest first) and texts with such a
// length before them. Pure; the writers to a pointer need room for what they write.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ampari {

inline constexpr size_t kMaxVarintBytes = 10;

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline char* WriteVarint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

inline void AppendVarint(uint64_t value, std::string* out) {
  char bytes[kMaxVarintBytes];
  out->append(bytes, static_cast<size_t>(WriteVarint(bytes, value) - bytes));
}

// Reads from the front of `bytes`; how many it took, 0 when there is no whole varint of 64 bits.
inline size_t ReadVarint(std::string_view bytes, uint64_t* value) {
  uint64_t result = 0;
  const size_t limit = bytes.size() < kMaxVarintBytes ? bytes.size() : kMaxVarintBytes;
  for (size_t i = 0; i < limit; ++i) {
    const uint64_t byte = static_cast<uint8_t>(bytes[i]);
    if (i == 9 && byte > 1) return 0;
    result |= (byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    *value = result;
    return i + 1;
  }
  return 0;
}

// memcpy without a call for the short texts that most labels are.
inline void CopyText(char* out, std::string_view text) {
  const size_t size = text.size();
  const char* const in = text.data();
  if (size > 32 || size < 8) {
    std::memcpy(out, in, size);
    return;
  }
  // The first bytes and the last ones, which overlap.
  if (size >= 16) {
    std::memcpy(out, in, 16);
    std::memcpy(out + size - 16, in + size - 16, 16);
  } else {
    char last[8];
    std::memcpy(last, in + size - 8, 8);
    std::memcpy(out, in, 8);
    std::memcpy(out + size - 8, last, 8);
  }
}

inline char* WriteVarintText(char* out, std::string_view text) {
  out = WriteVarint(out, text.size());
  CopyText(out, text);
  return out + text.size();
}

// Takes a length and that many bytes off the front of `*rest`; false when they are not there, or
// when the length is not in its shortest form.
inline bool ReadVarintText(std::string_view* rest, std::string_view* text) {
  uint64_t size = 0;
  const size_t used = ReadVarint(*rest, &size);
  if (used == 0 || used != VarintSize(size) || size > rest->size() - used) return false;
  *text = rest->substr(used, size);
  rest->remove_prefix(used + size);
  return true;
}

}  // namespace ampari
