// SnappyWriter: writes a snappy block (github.com/google/snappy, format_description.txt) from
// literals and copies whose places the caller knows; nothing is searched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace ampari {

// Not thread-safe; reusable. Buffers stay as large as the largest block.
class SnappyWriter {
 public:
  static constexpr size_t kMaxDistance = 65535;  // of a copy with a two-byte offset

  // Begins a block of at most `max_plain_bytes`.
  void Begin(size_t max_plain_bytes) {
    const size_t bound = kPreamble + max_plain_bytes + max_plain_bytes / 2 + 64;
    if (bound > capacity_) {
      buffer_ = std::make_unique_for_overwrite<char[]>(bound);
      capacity_ = bound;
    }
    out_ = buffer_.get() + kPreamble;
    plain_ = literal_ = 0;
  }

  // Bytes written so far, before compression.
  size_t plain_size() const { return plain_ + literal_; }

  // Space for at most kMaxSpace literal bytes, which Advance() then takes.
  static constexpr size_t kMaxSpace = 64;
  char* Space() {
    if (literal_ > sizeof(pending_) - kMaxSpace) Flush();
    return pending_ + literal_;
  }
  void Advance(const char* end) { literal_ = static_cast<size_t>(end - pending_); }

  void Literal(std::string_view bytes) {
    while (!bytes.empty()) {
      if (literal_ > sizeof(pending_) - kMaxSpace) Flush();
      const size_t part = std::min(bytes.size(), sizeof(pending_) - literal_);
      std::memcpy(pending_ + literal_, bytes.data(), part);
      literal_ += part;
      bytes.remove_prefix(part);
    }
  }

  // The `size` bytes at `distance` (1 … kMaxDistance) before the end.
  void Copy(size_t distance, size_t size) {
    Flush();
    plain_ += size;
    const auto low = static_cast<char>(distance), high = static_cast<char>(distance >> 8);
    while (size > 0) {
      const size_t part = size < 64 ? size : 64;
      out_[0] = static_cast<char>((part - 1) << 2 | 2);
      out_[1] = low;
      out_[2] = high;
      out_ += 3;
      size -= part;
    }
  }

  std::string Finish() {
    Flush();
    char preamble[kPreamble];
    size_t size = 0;
    uint64_t value = plain_;
    for (; value >= 0x80; value >>= 7) preamble[size++] = static_cast<char>(value | 0x80);
    preamble[size++] = static_cast<char>(value);
    char* begin = buffer_.get() + kPreamble - size;
    std::memcpy(begin, preamble, size);
    return std::string(begin, static_cast<size_t>(out_ - begin));
  }

 private:
  static constexpr size_t kPreamble = 10;

  void Flush() {
    if (literal_ == 0) return;
    const size_t last = literal_ - 1;
    if (last < 60) {
      *out_++ = static_cast<char>(last << 2);
    } else if (last < 256) {
      *out_++ = static_cast<char>(60 << 2);
      *out_++ = static_cast<char>(last);
    } else {
      *out_++ = static_cast<char>(61 << 2);
      *out_++ = static_cast<char>(last);
      *out_++ = static_cast<char>(last >> 8);
    }
    std::memcpy(out_, pending_, literal_);
    out_ += literal_;
    plain_ += literal_;
    literal_ = 0;
  }

  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  char* out_ = nullptr;
  size_t plain_ = 0;    // flushed
  size_t literal_ = 0;  // pending
  char pending_[4096];
};

}  // namespace ampari
