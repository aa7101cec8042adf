// Varints (LEB128, little-endian groups of seven bits) and a bounds-checked cursor over bytes.
// Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ampari {

inline constexpr size_t kMaxVarintBytes = 10;

inline void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Maps small negative numbers to small varints.
inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Reads from the front of bytes that must outlive it. Every read returns false, and leaves the
// cursor where it is or at the end, when the bytes are too few or the number does not fit.
class ByteCursor {
 public:
  explicit ByteCursor(std::string_view bytes) : rest_(bytes) {}

  size_t remaining() const { return rest_.size(); }
  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void Skip(size_t count) { rest_.remove_prefix(count); }

  bool ReadVarint(uint64_t* value) {
    uint64_t result = 0;
    const size_t limit = rest_.size() < kMaxVarintBytes ? rest_.size() : kMaxVarintBytes;
    for (size_t i = 0; i < limit; ++i) {
      const uint64_t byte = static_cast<uint8_t>(rest_[i]);
      if (i == 9 && byte > 1) return false;
      result |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        *value = result;
        return true;
      }
    }
    return false;
  }

  bool ReadVarint32(uint32_t* value) {
    uint64_t wide = 0;
    if (!ReadVarint(&wide) || wide > UINT32_MAX) return false;
    *value = static_cast<uint32_t>(wide);
    return true;
  }

  bool ReadBytes(size_t count, std::string_view* bytes) {
    if (count > rest_.size()) return false;
    *bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }

  // A varint length and so many bytes.
  bool ReadString(std::string_view* bytes) {
    uint64_t size = 0;
    return ReadVarint(&size) && ReadBytes(size, bytes);
  }

 private:
  std::string_view rest_;
};

inline void AppendString(std::string_view bytes, std::string* out) {
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

}  // namespace ampari
