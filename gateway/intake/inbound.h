// Inbound: what a forwarder sent, checked. Pure functions from the pieces of one message to plain
// values; every length and count is compared with its bound before anything is allocated for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/frame/wire.h"
#include "gateway/intake/stream_budget.h"
#include "gateway/store/arrival.h"

namespace ampari {

inline constexpr size_t kInstanceBytes = 16;
inline constexpr size_t kStoreIdBytes = 16;
inline constexpr size_t kMaxForwarderNameBytes = 253;  // a DNS name
inline constexpr size_t kMaxCapabilities = 64;
inline constexpr size_t kMaxHelloBytes = size_t{16} << 10;
inline constexpr size_t kMaxGapBytes = size_t{4} << 20;  // about a million frames
inline constexpr size_t kMaxRetireBytes = size_t{1} << 20;
inline constexpr size_t kMaxOfferBytes = size_t{2} << 20;         // one of several
inline constexpr uint64_t kMaxItemsPerFrame = uint64_t{1} << 32;  // samples that a header may claim
inline constexpr uint64_t kMaxWaitedMs =
    uint64_t{31} * 24 * 3600 * 1000;  // longer waits count as this

// A hello without identity (tenant, entry, labels and peer are the caller's to fill).
// InvalidArgument names the field and its rule and repeats no byte of it; FailedPrecondition for
// another protocol version.
absl::StatusOr<HelloRequest> ParseHello(const std::vector<std::string_view>& message);

// A frame that may be stored, or why not.
struct FrameCheck {
  FrameArrival arrival;  // bytes.owner is the caller's to fill
  bool refused = false;
  FrameRefusal refusal;  // with `refused`
};

// Checks size, header and checksum over the pieces. `expected` is the sequence to name when the
// header cannot be read.
FrameCheck CheckFrame(const MessageView& view, Signal signal, const IntakeLimits& limits,
                      uint64_t expected);

// InvalidArgument or ResourceExhausted end the stream.
absl::StatusOr<GapArrival> ParseGap(const std::vector<std::string_view>& message);
struct Retirement {
  std::vector<uint64_t> blocks;
  std::vector<std::string> files;  // keys
};
absl::StatusOr<Retirement> ParseRetire(const std::vector<std::string_view>& message);
absl::StatusOr<std::vector<StoredPosition>> ParseOffer(
    const std::vector<std::string_view>& message);
absl::StatusOr<std::string> CheckRegistration(const MessageView& view, const IntakeLimits& limits);

size_t BytesOf(const std::vector<std::string_view>& pieces);

}  // namespace ampari
