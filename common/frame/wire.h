// Reading and writing of ampari.v1.ForwarderMessage around its large fields, so that a frame or a
// block is never copied or parsed as protobuf. Pure;
// https://protobuf.dev/programming-guides/encoding/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari {

enum class MessageKind : uint8_t { kHello, kRegistration, kRetire, kFrame, kGap, kDrained, kOffer };

struct MessageView {
  MessageKind kind = MessageKind::kHello;
  uint64_t waited_ms = 0;
  uint32_t round = 0;
  // The bytes of the registration block or of the frame, as views into the message. Empty for the
  // other kinds, which are small: JoinPieces and parse.
  std::vector<std::string_view> body;
};

// The pieces together are one serialized message. InvalidArgument when it is malformed or does not
// hold exactly one kind. Unknown fields are passed over, as protobuf does.
absl::StatusOr<MessageView> ParseForwarderMessage(const std::vector<std::string_view>& pieces);

// What precedes the bytes of a frame or a block of `body_bytes` in its message; nothing follows
// them.
std::string EncodeFramePrefix(uint64_t waited_ms, uint32_t round, size_t body_bytes);
std::string EncodeRegistrationPrefix(size_t body_bytes);

std::string JoinPieces(const std::vector<std::string_view>& pieces);

}  // namespace ampari
