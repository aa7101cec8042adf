#include "gateway/intake/inbound.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ampari/v1/shipping.pb.h"
#include "common/frame/frame.h"
#include "common/frame/registration.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr size_t kMaxCapabilityBytes = 64;
constexpr size_t kMaxVersionBytes = 128;

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("hello: ", ToAbsl(what)));
}

bool Printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

bool AsciiText(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

absl::Status CheckNames(const v1::Hello& hello) {
  if (hello.forwarder_name().empty() || hello.forwarder_name().size() > kMaxForwarderNameBytes ||
      !Printable(hello.forwarder_name())) {
    return Bad("forwarder_name is 1 to 253 bytes of printable ASCII without spaces");
  }
  if (hello.instance().size() != kInstanceBytes) return Bad("instance has 16 bytes");
  if (!hello.store_id().empty() && hello.store_id().size() != kStoreIdBytes) {
    return Bad("store_id is empty or has 16 bytes");
  }
  if (hello.version().size() > kMaxVersionBytes || !AsciiText(hello.version())) {
    return Bad("version is at most 128 bytes of printable ASCII");
  }
  if (hello.capabilities_size() > static_cast<int>(kMaxCapabilities))
    return Bad("at most 64 capabilities");
  for (const std::string& capability : hello.capabilities()) {
    if (capability.size() > kMaxCapabilityBytes || !Printable(capability)) {
      return Bad("a capability is at most 64 bytes of printable ASCII");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const v1::Hello& hello) {
  if ((hello.first_sequence() == 0) != (hello.last_sequence() == 0)) {
    return Bad("first_sequence and last_sequence are both 0 or both not");
  }
  if (hello.first_sequence() > hello.last_sequence())
    return Bad("first_sequence is above last_sequence");
  if (hello.settled() > hello.acknowledged()) return Bad("settled is above acknowledged");
  if (hello.store_id().empty() && hello.acknowledged() != 0)
    return Bad("acknowledged without a store_id");
  return absl::OkStatus();
}

FrameCheck Refused(uint64_t sequence, FrameRefusal::Reason reason, std::string message) {
  FrameCheck check;
  check.refused = true;
  check.refusal.sequence = sequence;
  check.refusal.reason = reason;
  check.refusal.message = std::move(message);
  return check;
}

// The head of a frame, joined when it is spread over pieces.
std::string Head(const std::vector<std::string_view>& pieces, size_t bytes) {
  std::string head;
  for (std::string_view piece : pieces) {
    head.append(piece.substr(0, bytes - head.size()));
    if (head.size() == bytes) break;
  }
  return head;
}

absl::StatusOr<v1::ForwarderMessage> Parse(const std::vector<std::string_view>& pieces,
                                           size_t max_bytes, std::string_view what) {
  if (BytesOf(pieces) > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a ", ToAbsl(what), " has at most ", max_bytes, " bytes"));
  }
  v1::ForwarderMessage message;
  if (!message.ParseFromString(JoinPieces(pieces))) {
    return absl::InvalidArgumentError(absl::StrCat("a malformed ", ToAbsl(what)));
  }
  return message;
}

absl::Status KeyOfOtherSize() {
  return absl::InvalidArgumentError(absl::StrCat("a file's key has ", kLogFileKeyBytes, " bytes"));
}

}  // namespace

size_t BytesOf(const std::vector<std::string_view>& pieces) {
  size_t bytes = 0;
  for (std::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

absl::StatusOr<HelloRequest> ParseHello(const std::vector<std::string_view>& message) {
  absl::StatusOr<v1::ForwarderMessage> parsed = Parse(message, kMaxHelloBytes, "hello");
  if (!parsed.ok()) return parsed.status();
  if (!parsed->has_hello())
    return absl::FailedPreconditionError("the first message of a stream is a hello");
  const v1::Hello& hello = parsed->hello();
  if (hello.protocol_version() != kProtocolVersion) {
    return absl::FailedPreconditionError(absl::StrCat("this gateway speaks protocol version ",
                                                      kProtocolVersion, ", the forwarder ",
                                                      hello.protocol_version()));
  }
  if (hello.signal() != v1::SIGNAL_METRICS && hello.signal() != v1::SIGNAL_LOGS)
    return Bad("signal is unknown");
  absl::Status names = CheckNames(hello);
  if (!names.ok()) return names;
  absl::Status numbers = CheckNumbers(hello);
  if (!numbers.ok()) return numbers;
  HelloRequest request;
  request.forwarder_name = hello.forwarder_name();
  request.instance_id = hello.instance();
  request.signal = hello.signal() == v1::SIGNAL_METRICS ? Signal::kMetrics : Signal::kLogs;
  request.draining = hello.draining();
  request.first_sequence = hello.first_sequence();
  request.last_sequence = hello.last_sequence();
  request.first_waited_ms = std::min(hello.first_waited_ms(), kMaxWaitedMs);
  request.last_waited_ms = std::min(hello.last_waited_ms(), kMaxWaitedMs);
  request.acknowledged = hello.acknowledged();
  request.settled = hello.settled();
  request.store_id = hello.store_id();
  return request;
}

FrameCheck CheckFrame(const MessageView& view, Signal signal, const IntakeLimits& limits,
                      uint64_t expected) {
  using Reason = FrameRefusal::Reason;
  const size_t bytes = BytesOf(view.body);
  const std::string head = Head(view.body, kFrameHeaderBytes);
  if (head.size() < kFrameHeaderBytes) {
    return Refused(expected, Reason::kMalformed,
                   absl::StrCat("a frame of ", bytes, " bytes has no header"));
  }
  const absl::StatusOr<FrameHeader> header = ParseFrameHeader(head);
  if (bytes > limits.max_frame_bytes) {
    return Refused(header.ok() ? header->sequence : expected, Reason::kOversize,
                   absl::StrCat("a frame has at most ", limits.max_frame_bytes,
                                " bytes, this one has ", bytes));
  }
  if (!header.ok())
    return Refused(expected, Reason::kMalformed, std::string(header.status().message()));
  if ((header->kind == FrameKind::kMetrics) != (signal == Signal::kMetrics)) {
    return Refused(header->sequence, Reason::kMalformed,
                   "the frame is of another signal than its stream");
  }
  if (header->sequence == 0) return Refused(expected, Reason::kMalformed, "sequences start at 1");
  const bool logs = signal == Signal::kLogs;
  if (header->items > (logs ? kMaxLogLinesPerFrame : kMaxItemsPerFrame)) {
    return Refused(header->sequence, Reason::kMalformed,
                   "the header claims more items than a frame can hold");
  }
  const uint64_t told = uint64_t{header->positions_bytes} + header->body_bytes;
  if (kFrameHeaderBytes + told != bytes) {
    return Refused(header->sequence, Reason::kMalformed,
                   absl::StrCat("the header tells of ", told, " bytes of body, there are ",
                                bytes - kFrameHeaderBytes));
  }
  const absl::Status checksum = VerifyFrame(*header, view.body);
  if (!checksum.ok())
    return Refused(header->sequence, Reason::kMalformed, std::string(checksum.message()));
  FrameCheck check;
  check.arrival.sequence = header->sequence;
  check.arrival.items = header->items;
  check.arrival.waited_ms = std::min(view.waited_ms, kMaxWaitedMs);
  check.arrival.bytes.pieces = view.body;
  check.arrival.round = view.round;
  if (!logs) return check;
  const std::string positions = Head(view.body, kFrameHeaderBytes + header->positions_bytes);
  auto files = ParseLogPositions(*header, std::string_view(positions).substr(kFrameHeaderBytes));
  if (!files.ok()) {
    return Refused(header->sequence, Reason::kMalformed, std::string(files.status().message()));
  }
  check.arrival.files = *std::move(files);
  return check;
}

absl::StatusOr<GapArrival> ParseGap(const std::vector<std::string_view>& message) {
  absl::StatusOr<v1::ForwarderMessage> parsed = Parse(message, kMaxGapBytes, "gap");
  if (!parsed.ok()) return parsed.status();
  const v1::Gap& gap = parsed->gap();
  GapArrival arrival;
  arrival.first_sequence = gap.first_sequence();
  if (arrival.first_sequence == 0 || gap.counts_size() == 0) {
    return absl::InvalidArgumentError(
        "a gap begins at a sequence from 1 on and has a count per frame");
  }
  for (const uint64_t count : gap.counts()) {
    if (count > kMaxItemsPerFrame)
      return absl::InvalidArgumentError("a gap claims more than a frame can hold");
    arrival.counts.push_back(count);
  }
  switch (gap.reason()) {
    case v1::Gap::REASON_RING_FULL:
      arrival.reason = "ring_full";
      break;
    case v1::Gap::REASON_OVERSIZE:
      arrival.reason = "oversize";
      break;
    case v1::Gap::REASON_MALFORMED:
      arrival.reason = "malformed";
      break;
    default:
      return absl::InvalidArgumentError("a gap of unknown reason");
  }
  return arrival;
}

absl::StatusOr<Retirement> ParseRetire(const std::vector<std::string_view>& message) {
  absl::StatusOr<v1::ForwarderMessage> parsed = Parse(message, kMaxRetireBytes, "retirement");
  if (!parsed.ok()) return parsed.status();
  const v1::Retire& retire = parsed->retire();
  Retirement retirement;
  retirement.blocks.assign(retire.blocks().begin(), retire.blocks().end());
  for (const std::string& key : retire.files()) {
    if (key.size() != kLogFileKeyBytes) return KeyOfOtherSize();
    retirement.files.push_back(key);
  }
  return retirement;
}

absl::StatusOr<std::vector<StoredPosition>> ParseOffer(
    const std::vector<std::string_view>& message) {
  absl::StatusOr<v1::ForwarderMessage> parsed = Parse(message, kMaxOfferBytes, "offer");
  if (!parsed.ok()) return parsed.status();
  std::vector<StoredPosition> offered;
  for (const v1::FilePosition& file : parsed->offer().files()) {
    if (file.key().size() != kLogFileKeyBytes) return KeyOfOtherSize();
    offered.push_back({file.key(), {file.out(), file.err()}});
  }
  return offered;
}

absl::StatusOr<std::string> CheckRegistration(const MessageView& view, const IntakeLimits& limits) {
  if (BytesOf(view.body) > limits.max_registration_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a registration block has at most ", limits.max_registration_bytes, " bytes"));
  }
  std::string block = JoinPieces(view.body);
  const absl::StatusOr<RegistrationHeader> header = ParseRegistrationHeader(block);
  if (!header.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a malformed registration: ", header.status().message()));
  }
  return block;
}

}  // namespace ampari
