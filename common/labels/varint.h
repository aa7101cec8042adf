// Varints (LEB128, as protobuf's) of at most 32 bits and texts with such a length before them.
// Pure; the writers need room for what they write.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ampari {

inline size_t VarintSize(uint32_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline char* WriteVarint(char* out, uint32_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

inline char* WriteVarintText(char* out, std::string_view text) {
  out = WriteVarint(out, static_cast<uint32_t>(text.size()));
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// Takes a length and that many bytes off the front of `*rest`; false when they are not there, or
// when the length is not in its shortest form.
inline bool ReadVarintText(std::string_view* rest, std::string_view* text) {
  uint64_t size = 0;
  size_t used = 0;
  for (;; ++used) {
    if (used == rest->size() || used == 5) return false;
    const auto byte = static_cast<uint8_t>((*rest)[used]);
    size |= static_cast<uint64_t>(byte & 0x7f) << (7 * used);
    if (byte < 0x80) {
      if (byte == 0 && used > 0) return false;
      break;
    }
  }
  ++used;
  if (size > rest->size() - used) return false;
  *text = rest->substr(used, size);
  rest->remove_prefix(used + size);
  return true;
}

}  // namespace ampari
