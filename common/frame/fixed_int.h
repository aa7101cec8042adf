// Little-endian integers at fixed offsets, as headers use them. Pure; the caller has checked the
// size.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ampari {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "formats are written as this machine keeps numbers");

template <typename T>
T LoadLittle(const char* at) {
  static_assert(std::is_unsigned_v<T>);
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
void StoreLittle(T value, char* at) {
  static_assert(std::is_unsigned_v<T>);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace ampari
