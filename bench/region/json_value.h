// JsonValue: reads a JSON text (RFC 8259) into a plain tree, as little as the tools need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari::bench {

struct JsonMember;

struct JsonValue {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  std::string text;  // of a string; a number or boolean as it was written
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;  // in order; the first of a name counts

  // A null value when this is no object or has no such member.
  const JsonValue& operator[](std::string_view name) const;
  // Zero when this is no number.
  double number() const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

inline constexpr int kMaxJsonDepth = 32;

// InvalidArgument tells the offset of the first error.
absl::StatusOr<JsonValue> ParseJson(std::string_view text);

}  // namespace ampari::bench
