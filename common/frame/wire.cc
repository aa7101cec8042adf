#include "common/frame/wire.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/frame/varint.h"

namespace ampari {
namespace {

// Field numbers of ampari.v1.ForwarderMessage.
constexpr uint64_t kHelloField = 1, kRegistrationField = 2, kRetireField = 3, kWaitedField = 4,
                   kRoundField = 5, kFrameField = 6, kGapField = 7, kDrainedField = 8,
                   kOfferField = 9;
enum WireType : uint64_t { kVarintType = 0, kFixed64Type = 1, kBytesType = 2, kFixed32Type = 5 };

uint64_t Tag(uint64_t field, WireType type) { return field << 3 | type; }

// Walks over pieces as if they were joined.
class PieceCursor {
 public:
  explicit PieceCursor(const std::vector<std::string_view>& pieces) : pieces_(pieces) { Settle(); }

  bool done() const { return piece_ == pieces_.size(); }

  bool ReadVarint(uint64_t* value) {
    char bytes[kMaxVarintBytes];
    size_t size = 0;
    do {
      if (done() || size == kMaxVarintBytes) return false;
      bytes[size++] = pieces_[piece_][at_];
      Advance(1);
    } while ((bytes[size - 1] & 0x80) != 0);
    return ByteCursor(std::string_view(bytes, size)).ReadVarint(value);
  }

  // Passes over `count` bytes and appends views of them to `*out` unless it is null.
  bool ReadBytes(uint64_t count, std::vector<std::string_view>* out) {
    while (count > 0) {
      if (done()) return false;
      const std::string_view piece = pieces_[piece_].substr(at_, count);
      if (out != nullptr) out->push_back(piece);
      count -= piece.size();
      Advance(piece.size());
    }
    return true;
  }

 private:
  void Advance(size_t count) {
    at_ += count;
    Settle();
  }
  void Settle() {
    while (piece_ < pieces_.size() && at_ == pieces_[piece_].size()) {
      ++piece_;
      at_ = 0;
    }
  }

  const std::vector<std::string_view>& pieces_;
  size_t piece_ = 0;
  size_t at_ = 0;
};

bool KindOf(uint64_t tag, MessageKind* kind) {
  static constexpr struct {
    uint64_t field;
    MessageKind kind;
  } kKinds[] = {
      {kHelloField, MessageKind::kHello},   {kRegistrationField, MessageKind::kRegistration},
      {kRetireField, MessageKind::kRetire}, {kFrameField, MessageKind::kFrame},
      {kGapField, MessageKind::kGap},       {kDrainedField, MessageKind::kDrained},
      {kOfferField, MessageKind::kOffer}};
  for (const auto& row : kKinds) {
    if (tag != Tag(row.field, kBytesType)) continue;
    *kind = row.kind;
    return true;
  }
  return false;
}

bool SkipUnknown(uint64_t tag, PieceCursor* in) {
  uint64_t value = 0;
  switch (tag & 7) {
    case kVarintType:
      return in->ReadVarint(&value);
    case kFixed64Type:
      return in->ReadBytes(8, nullptr);
    case kBytesType:
      return in->ReadVarint(&value) && in->ReadBytes(value, nullptr);
    case kFixed32Type:
      return in->ReadBytes(4, nullptr);
    default:
      return false;
  }
}

// Reads one field into the view; `*kinds` counts the fields that are kinds.
bool ReadField(PieceCursor* in, MessageView* view, int* kinds) {
  uint64_t tag = 0, value = 0;
  if (!in->ReadVarint(&tag) || (tag >> 3) == 0) return false;
  if (tag == Tag(kWaitedField, kVarintType)) return in->ReadVarint(&view->waited_ms);
  if (tag == Tag(kRoundField, kVarintType)) {
    if (!in->ReadVarint(&value)) return false;
    view->round = static_cast<uint32_t>(value);
    return true;
  }
  if (!KindOf(tag, &view->kind)) return SkipUnknown(tag, in);
  ++*kinds;
  const bool keep = view->kind == MessageKind::kFrame || view->kind == MessageKind::kRegistration;
  return in->ReadVarint(&value) && in->ReadBytes(value, keep ? &view->body : nullptr);
}

}  // namespace

absl::StatusOr<MessageView> ParseForwarderMessage(const std::vector<std::string_view>& pieces) {
  MessageView view;
  int kinds = 0;
  PieceCursor in(pieces);
  while (!in.done()) {
    if (!ReadField(&in, &view, &kinds)) return absl::InvalidArgumentError("message is malformed");
    if (kinds > 1) return absl::InvalidArgumentError("message of several kinds");
  }
  if (kinds == 0) return absl::InvalidArgumentError("message without a kind");
  return view;
}

std::string EncodeFramePrefix(uint64_t waited_ms, uint32_t round, size_t body_bytes) {
  std::string out;
  if (waited_ms != 0) {
    AppendVarint(Tag(kWaitedField, kVarintType), &out);
    AppendVarint(waited_ms, &out);
  }
  if (round != 0) {
    AppendVarint(Tag(kRoundField, kVarintType), &out);
    AppendVarint(round, &out);
  }
  AppendVarint(Tag(kFrameField, kBytesType), &out);
  AppendVarint(body_bytes, &out);
  return out;
}

std::string EncodeRegistrationPrefix(size_t body_bytes) {
  std::string out;
  AppendVarint(Tag(kRegistrationField, kBytesType), &out);
  AppendVarint(body_bytes, &out);
  return out;
}

std::string JoinPieces(const std::vector<std::string_view>& pieces) {
  std::string joined;
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  joined.reserve(size);
  for (const std::string_view piece : pieces) joined.append(piece);
  return joined;
}

}  // namespace ampari
