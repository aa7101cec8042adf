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

// Eight bytes hold every varint below 2^53. Reads one without a branch; `*bad` keeps a bit when it
// is longer than that. Returns the number of bytes.
inline size_t ReadInteger(const char* at, uint64_t* bits, uint64_t* bad) {
  const uint64_t word = LoadLittle<uint64_t>(at);
  const uint64_t stops = ~word & kVarintStops;
  *bad |= static_cast<uint64_t>(stops == 0);
  const uint64_t used = word & (stops ^ (stops - 1)) & ~kVarintStops;
  uint64_t value = ((used & 0x7f007f007f007f00) >> 1) | (used & 0x007f007f007f007f);
  value = ((value & 0x3fff00003fff0000) >> 2) | (value & 0x00003fff00003fff);
  value = ((value & 0x0fffffff00000000) >> 4) | (value & 0x000000000fffffff);
  *bad |= value >> 53;
  *bits = std::bit_cast<uint64_t>(static_cast<double>(value));
  return static_cast<size_t>(std::countr_zero(stops | (uint64_t{1} << 63)) + 1) / 8;
}

// The bitmap bits of values [first, first + kGroup), those behind the last value zero or malformed.
inline uint64_t BitmapWord(std::string_view bitmap, size_t first) {
  uint64_t word = 0;
  std::memcpy(&word, bitmap.data() + first / 8, std::min<size_t>(8, bitmap.size() - first / 8));
  return word;
}

// Where the integers and the floats of a column are read.
struct ColumnInput {
  const char* integers;
  const char* end;  // of the column's whole input
  uint64_t bad = 0;
};

bool ReadIntegers(std::string_view bitmap, size_t count, ColumnInput* in, uint64_t* values) {
  for (size_t first = 0; first < count; first += kGroup) {
    const size_t size = std::min(kGroup, count - first);
    const uint64_t floats = BitmapWord(bitmap, first);
    if (size < kGroup && (floats >> size) != 0) return false;
    const char* at = in->integers;
    for (size_t i = 0; i < size; ++i) {
      if ((floats >> i) & 1) continue;
      if (at >= in->end) return false;
      at += ReadInteger(at, &values[first + i], &in->bad);
    }
    in->integers = at;
  }
  return in->bad == 0 && in->integers <= in->end;
}

const char* ReadFloats(std::string_view bitmap, size_t count, const char* at, uint64_t* values) {
  for (size_t first = 0; first < count; first += kGroup) {
    for (uint64_t floats = BitmapWord(bitmap, first); floats != 0; floats &= floats - 1) {
      values[first + static_cast<size_t>(std::countr_zero(floats))] = LoadLittle<uint64_t>(at);
      at += sizeof(uint64_t);
    }
  }
  return at;
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
  const char* begin = in->rest().data();
  ColumnInput input{begin, begin + in->remaining() - floats * sizeof(uint64_t)};
  if (!ReadIntegers(bitmap, count, &input, values->data())) return false;
  const char* end = ReadFloats(bitmap, count, input.integers, values->data());
  in->Skip(static_cast<size_t>(end - begin));
  return true;
}

}  // namespace ampari
