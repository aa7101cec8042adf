#include "gateway/store/keys.h"

#include "common/frame/log_frame.h"

namespace ampari {
namespace {

template <typename Number>
void AppendBig(std::string* out, Number value) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

uint64_t ReadBig(std::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

}  // namespace

std::string MetaKey(MetaKind kind) { return std::string(1, static_cast<char>(kind)); }

std::string MetaKey(MetaKind kind, uint32_t number) {
  std::string key = MetaKey(kind);
  AppendBig(&key, number);
  return key;
}

std::string MetaKey(MetaKind kind, uint32_t number, uint32_t second) {
  std::string key = MetaKey(kind, number);
  AppendBig(&key, second);
  return key;
}

std::string MetaKey(MetaKind kind, uint32_t number, uint64_t second) {
  std::string key = MetaKey(kind, number);
  AppendBig(&key, second);
  return key;
}

std::optional<MetaKeyParts> ParseMetaKey(std::string_view key) {
  if (key.size() != 1 && key.size() != 5 && key.size() != 9 && key.size() != 13) {
    return std::nullopt;
  }
  MetaKeyParts parts{.kind = static_cast<MetaKind>(key[0])};
  if (key.size() > 1) parts.number = static_cast<uint32_t>(ReadBig(key.substr(1, 4)));
  if (key.size() > 5) parts.second = ReadBig(key.substr(5));
  return parts;
}

std::string LogFileKey(uint32_t producer, std::string_view key) {
  return MetaKey(MetaKind::kLogFile, producer).append(key);
}

std::optional<LogFileKeyParts> ParseLogFileKey(std::string_view key) {
  if (key.size() != 5 + kLogFileKeyBytes) return std::nullopt;
  return LogFileKeyParts{.producer = static_cast<uint32_t>(ReadBig(key.substr(1, 4))),
                         .key = key.substr(5)};
}

std::string SequenceKey(uint64_t sequence) {
  std::string key;
  AppendBig(&key, sequence);
  return key;
}

std::optional<uint64_t> ParseSequenceKey(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return ReadBig(key);
}

std::string BlockKey(InstanceNumber instance, uint64_t block) {
  std::string key;
  AppendBig(&key, instance);
  AppendBig(&key, block);
  return key;
}

std::optional<BlockKeyParts> ParseBlockKey(std::string_view key) {
  if (key.size() != 12) return std::nullopt;
  return BlockKeyParts{.instance = static_cast<InstanceNumber>(ReadBig(key.substr(0, 4))),
                       .block = ReadBig(key.substr(4))};
}

std::string AsideFrameKey(Generation destination, uint64_t sequence) {
  std::string key(1, kAsideFrames);
  AppendBig(&key, destination);
  AppendBig(&key, sequence);
  return key;
}

std::string DeadLetterKey(uint64_t number) {
  std::string key(1, kDeadLetters);
  AppendBig(&key, number);
  return key;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    if (static_cast<uint8_t>(end.back()) != 0xff) {
      end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

}  // namespace ampari
