// WireReader: walks the fields of one protobuf message without copying
// (https://protobuf.dev/programming-guides/encoding/).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ampari::bench {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field as it stands in the message; which members are set depends on `type`.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t varint = 0;     // kVarint, kFixed64 (its bits) and kFixed32
  std::string_view bytes;  // kBytes
};

// Views stay valid as long as the message's bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  // False at the end and at the first malformed byte; failed() tells which.
  bool Next(WireField* field) {
    if (at_ == end_) return false;
    uint64_t tag = 0;
    if (!Varint(&tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return Fail();
    field->number = static_cast<uint32_t>(tag >> 3);
    field->type = static_cast<WireType>(tag & 7);
    switch (tag & 7) {
      case 0:
        return Varint(&field->varint) || Fail();
      case 1:
        return Fixed(8, &field->varint) || Fail();
      case 2:
        return Bytes(&field->bytes) || Fail();
      case 5:
        return Fixed(4, &field->varint) || Fail();
      default:
        return Fail();
    }
  }

  bool failed() const { return failed_; }
  // Where the next field begins.
  const char* position() const { return at_; }

 private:
  bool Fail() {
    failed_ = true;
    at_ = end_;
    return false;
  }

  bool Varint(uint64_t* value) {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return false;
      const auto byte = static_cast<uint8_t>(*at_++);
      result |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *value = result;
        return true;
      }
    }
    return false;
  }

  bool Fixed(size_t size, uint64_t* value) {
    if (static_cast<size_t>(end_ - at_) < size) return false;
    *value = 0;
    std::memcpy(value, at_, size);  // little-endian hosts only
    at_ += size;
    return true;
  }

  bool Bytes(std::string_view* value) {
    uint64_t size = 0;
    if (!Varint(&size) || size > static_cast<uint64_t>(end_ - at_)) return false;
    *value = std::string_view(at_, size);
    at_ += size;
    return true;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace ampari::bench
