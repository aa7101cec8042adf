#include "gateway/loki/push_request.h"

#include <snappy.h>

#include <algorithm>

#include "common/labels/quote.h"
#include "common/labels/varint.h"

namespace ampari {
namespace {

// Tags: field number << 3 | wire type.
constexpr char kStreamsTag = 0x0a;                                          // of PushRequest
constexpr char kLabelsTag = 0x0a, kEntriesTag = 0x12;                       // of Stream
constexpr char kTimestampTag = 0x0a, kLineTag = 0x12, kMetadataTag = 0x1a;  // of Entry
constexpr char kSecondsTag = 0x08, kNanosTag = 0x10;                        // of Timestamp
constexpr char kNameTag = 0x0a, kValueTag = 0x12;                           // of LabelPair
constexpr int64_t kNanosPerSecond = 1'000'000'000;

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

size_t TextFieldSize(std::string_view text) { return 1 + VarintSize(text.size()) + text.size(); }

void AppendTextField(char tag, std::string_view text, std::string* out) {
  out->push_back(tag);
  AppendVarint(text.size(), out);
  out->append(text);
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

// `text` itself, or in `*buffer` with U+FFFD for each byte that is not UTF-8.
std::string_view Mended(std::string_view text, std::string* buffer) {
  if (IsAscii(text) || IsUtf8(text)) return text;
  buffer->clear();
  while (!text.empty()) {
    char32_t code_point = 0;
    const size_t size = DecodeUtf8(text, &code_point);
    if (size == 0) {
      AppendUtf8(U'\uFFFD', buffer);
    } else {
      buffer->append(text.substr(0, size));
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return *buffer;
}

struct Timestamp {
  int64_t seconds, nanos;
  explicit Timestamp(int64_t time_ns)
      : seconds(time_ns / kNanosPerSecond), nanos(time_ns % kNanosPerSecond) {
    if (nanos >= 0) return;
    nanos += kNanosPerSecond;
    --seconds;
  }
  size_t size() const {
    const size_t whole = seconds == 0 ? 0 : 1 + VarintSize(static_cast<uint64_t>(seconds));
    return whole + (nanos == 0 ? 0 : 1 + VarintSize(static_cast<uint64_t>(nanos)));
  }
  void AppendTo(std::string* out) const {
    if (seconds != 0) {
      out->push_back(kSecondsTag);
      AppendVarint(static_cast<uint64_t>(seconds), out);
    }
    if (nanos != 0) {
      out->push_back(kNanosTag);
      AppendVarint(static_cast<uint64_t>(nanos), out);
    }
  }
};

size_t PairSize(std::string_view name, std::string_view value) {
  return TextFieldSize(name) + TextFieldSize(value);
}

class EntryWriter {
 public:
  explicit EntryWriter(std::string* out) : out_(out) {}

  void Write(const LogEntry& entry) {
    const Timestamp time(entry.time_ns);
    const std::string_view line = Mended(entry.line, &line_);
    const LogMetadata& metadata = MendedPairs(entry.metadata);
    size_t size = 1 + VarintSize(time.size()) + time.size() + TextFieldSize(line);
    for (const auto& [name, value] : metadata) {
      const size_t pair = PairSize(name, value);
      size += 1 + VarintSize(pair) + pair;
    }
    out_->push_back(kEntriesTag);
    AppendVarint(size, out_);
    out_->push_back(kTimestampTag);
    AppendVarint(time.size(), out_);
    time.AppendTo(out_);
    AppendTextField(kLineTag, line, out_);
    for (const auto& [name, value] : metadata) {
      out_->push_back(kMetadataTag);
      AppendVarint(PairSize(name, value), out_);
      AppendTextField(kNameTag, name, out_);
      AppendTextField(kValueTag, value, out_);
    }
  }

 private:
  // `metadata` itself when all of it is UTF-8.
  const LogMetadata& MendedPairs(const LogMetadata& metadata) {
    const auto good = [](std::string_view text) { return IsAscii(text) || IsUtf8(text); };
    const bool all = std::all_of(metadata.begin(), metadata.end(), [&](const auto& pair) {
      return good(pair.first) && good(pair.second);
    });
    if (all) return metadata;
    pairs_ = metadata;
    std::string buffer;
    for (auto& [name, value] : pairs_) {
      name = std::string(Mended(name, &buffer));
      value = std::string(Mended(value, &buffer));
    }
    return pairs_;
  }

  std::string* out_;
  std::string line_;
  LogMetadata pairs_;
};

}  // namespace

std::string StreamSelector(const Labels& labels) {
  std::string selector = "{", buffer;
  for (const Label label : labels) {
    if (selector.size() > 1) selector.append(", ");
    selector.append(label.name).push_back('=');
    AppendQuoted(Mended(label.value, &buffer), &selector);
  }
  selector.push_back('}');
  return selector;
}

std::string MendedUtf8(std::string_view text) {
  std::string buffer;
  return std::string(Mended(text, &buffer));
}

std::string PushRequestEncoder::Encode(std::span<const PushStream> streams) {
  plain_.clear();
  for (const PushStream& stream : streams) {
    stream_.clear();
    AppendTextField(kLabelsTag, stream.selector, &stream_);
    EntryWriter writer(&stream_);
    for (const std::span<const LogEntry> piece : stream.pieces) {
      for (const LogEntry& entry : piece) writer.Write(entry);
    }
    AppendTextField(kStreamsTag, stream_, &plain_);
  }
  std::string compressed;
  snappy::Compress(plain_.data(), plain_.size(), &compressed);
  return compressed;
}

}  // namespace ampari
