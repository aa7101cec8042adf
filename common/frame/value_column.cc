#include "common/frame/value_column.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/frame/fixed_int.h"

namespace ampari {
namespace {

constexpr double kIntegerEnd = 9007199254740992.0;  // 2^53: from here on doubles skip integers
constexpr uint64_t kVarintStops = 0x8080808080808080;
constexpr size_t kGroup = 64;  // values whose bitmap is read at once

// True, with the integer, when the varint form gives back exactly these bits.
inline bool AsInteger(uint64_t bits, uint64_t* integer) {
  const double value = std::bit_cast<double>(bits);
  if (!(value >= 0 && value < kIntegerEnd)) return false;  // NaN too
  *integer = static_cast<uint64_t>(value);
  return std::bit_cast<uint64_t>(static_cast<double>(*integer)) == bits;  // fractions, -0.0
}

// One bit for each of 64 bytes that ends a varint.
inline uint64_t VarintEnds(const char* at) {
  uint64_t ends = 0;
  for (size_t i = 0; i < kGroup / 8; ++i) {
    const uint64_t stops = (~LoadLittle<uint64_t>(at + 8 * i) & kVarintStops) >> 7;
    ends |= ((stops * 0x0102040810204080) >> 56) << (8 * i);
  }
  return ends;
}

// The bits of the double that a varint of `size` bytes stands for. `*bad` keeps a bit when it is
// not below 2^53, which eight bytes can hold.
inline uint64_t ReadInteger(const char* at, size_t size, uint64_t* bad) {
  *bad |= static_cast<uint64_t>(size > 8);
  const uint64_t word = LoadLittle<uint64_t>(at) << ((8 - size) % 8 * 8) >> ((8 - size) % 8 * 8);
  uint64_t value = ((word & 0x7f007f007f007f00) >> 1) | (word & 0x007f007f007f007f);
  value = ((value & 0x3fff00003fff0000) >> 2) | (value & 0x00003fff00003fff);
  value = ((value & 0x0fffffff00000000) >> 4) | (value & 0x000000000fffffff);
  *bad |= value >> 53;
  return std::bit_cast<uint64_t>(static_cast<double>(value));
}

// Reads `count` integers from [*at, end) without knowing where each begins: ends are found 64 bytes
// at a time, so that one integer need not wait for the length of the one before.
bool ReadIntegers(const char** at, const char* end, size_t count, uint64_t* values) {
  const char* next = *at;
  uint64_t bad = 0;
  size_t done = 0;
  for (const char* window = next; done < count; window += kGroup) {
    if (window >= end) return false;
    for (uint64_t ends = VarintEnds(window); ends != 0 && done < count; ends &= ends - 1) {
      const char* behind = window + std::countr_zero(ends) + 1;
      values[done++] = ReadInteger(next, static_cast<size_t>(behind - next), &bad);
      next = behind;
    }
  }
  *at = next;
  return bad == 0 && next <= end;
}

// The bitmap bits of values [first, first + kGroup), those behind the last value zero or malformed.
inline uint64_t BitmapWord(std::string_view bitmap, size_t first) {
  uint64_t word = 0;
  std::memcpy(&word, bitmap.data() + first / 8, std::min<size_t>(8, bitmap.size() - first / 8));
  return word;
}

// Puts the integers, which are in front, and the floats at their places, from the last one on.
void Spread(std::string_view bitmap, size_t count, size_t floats, const char* float_at,
            uint64_t* values) {
  size_t integers = count - floats;
  float_at += floats * sizeof(uint64_t);
  for (size_t first = (count - 1) / kGroup * kGroup; integers < first + kGroup; first -= kGroup) {
    const uint64_t bits = BitmapWord(bitmap, first);
    for (size_t i = std::min(kGroup, count - first); i > 0; --i) {
      const bool is_float = ((bits >> (i - 1)) & 1) != 0;
      if (is_float) float_at -= sizeof(uint64_t);
      values[first + i - 1] = is_float ? LoadLittle<uint64_t>(float_at) : values[--integers];
    }
    if (first == 0 || integers == first) break;
  }
}

size_t CountBits(std::string_view bitmap) {
  size_t bits = 0;
  for (const char byte : bitmap)
    bits += static_cast<size_t>(std::popcount(static_cast<uint8_t>(byte)));
  return bits;
}

}  // namespace

size_t ValueColumnBound(size_t count) {
  return kMaxVarintBytes + (count + 7) / 8 + count * sizeof(uint64_t);
}

void AppendValueColumn(const std::vector<uint64_t>& values, std::string* out) {
  AppendVarint(values.size(), out);
  const size_t bitmap_at = out->size();
  const size_t integers_at = bitmap_at + (values.size() + 7) / 8;
  out->resize(integers_at + values.size() * sizeof(uint64_t));
  char* at = out->data() + integers_at;
  std::vector<uint64_t> floats;
  for (size_t i = 0; i < values.size(); ++i) {
    uint64_t integer = 0;
    if (!AsInteger(values[i], &integer)) {
      (*out)[bitmap_at + i / 8] |= static_cast<char>(1 << (i % 8));
      floats.push_back(values[i]);
      continue;
    }
    for (; integer >= 0x80; integer >>= 7) *at++ = static_cast<char>(integer | 0x80);
    *at++ = static_cast<char>(integer);
  }
  if (!floats.empty()) std::memcpy(at, floats.data(), floats.size() * sizeof(uint64_t));
  at += floats.size() * sizeof(uint64_t);
  out->resize(static_cast<size_t>(at - out->data()));
}

bool ReadValueColumn(ByteCursor* in, std::vector<uint64_t>* values) {
  uint64_t count = 0;
  std::string_view bitmap;
  if (!in->ReadVarint(&count) || count > in->remaining())
    return false;  // a value is a byte at least
  if (!in->ReadBytes((count + 7) / 8, &bitmap)) return false;
  const size_t floats = CountBits(bitmap);
  if (floats > count || count - floats + floats * sizeof(uint64_t) > in->remaining()) return false;
  values->resize(count);
  if (count % 8 != 0 && static_cast<uint8_t>(bitmap.back()) >> (count % 8) != 0) return false;
  const char* at = in->rest().data();
  const char* end = at + in->remaining() - floats * sizeof(uint64_t);
  if (!ReadIntegers(&at, end, count - floats, values->data())) return false;
  if (floats > 0) Spread(bitmap, count, floats, at, values->data());
  in->Skip(static_cast<size_t>(at - in->rest().data()) + floats * sizeof(uint64_t));
  return true;
}

}  // namespace ampari
