// Arbitrary bytes as a message of a forwarder, cut anywhere: the reader agrees with protobuf's own
// parser about kind, numbers and the bytes of what it does not copy.
#include <cstdint>

#include "ampari/v1/shipping.pb.h"
#include "common/frame/wire.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

std::vector<std::string_view> Cut(std::string_view bytes, size_t piece) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at < bytes.size(); at += piece) pieces.push_back(bytes.substr(at, piece));
  return pieces;
}

void Run(std::string_view bytes) {
  if (bytes.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  const auto whole = ParseForwarderMessage({bytes});
  const auto cut_pieces = Cut(bytes, piece);
  const auto cut = ParseForwarderMessage(cut_pieces);
  Check(whole.ok() == cut.ok(), "pieces make no difference");
  if (!whole.ok()) return;
  Check(whole->kind == cut->kind && whole->waited_ms == cut->waited_ms &&
            whole->round == cut->round && JoinPieces(whole->body) == JoinPieces(cut->body),
        "pieces make no difference");
  v1::ForwarderMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  Check(whole->waited_ms == message.waited_ms() && whole->round == message.round() &&
            JoinPieces(whole->body) == message.frame() + message.registration(),
        "the values are protobuf's");
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
