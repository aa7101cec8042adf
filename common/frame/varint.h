// A bounds-checked cursor over bytes that hold varints, and zigzag numbers. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/labels/varint.h"

namespace ampari {

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
    const size_t used = ampari::ReadVarint(rest_, value);
    rest_.remove_prefix(used);
    return used > 0;
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
