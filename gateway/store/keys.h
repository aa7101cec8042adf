// Keys: how names become bytes. Pure; all numbers are big-endian, so that keys sort as numbers do.
// FORMAT.md lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/store/record.h"

namespace ampari {

// First byte of a key of the `meta` family.
enum class MetaKind : char {
  kIdentity = 'I',
  kClock = 'C',
  kNumbers = 'N',
  kTenant = 'T',       // generation
  kQueue = 'Q',        // generation
  kLane = 'L',         // queue, lane
  kDestination = 'D',  // generation
  kLedger = 'A',       // destination
  kCursor = 'U',       // destination, lane
  kSettled = 'S',      // destination, instance
  kInstance = 'P',     // number
  kMark = 'M',         // number
  kRetired = 'R',      // instance, block (8 bytes)
  kHole = 'H',         // queue, first sequence (8 bytes)
  kGone = 'X',         // generation whose families are to be dropped
  kLogProducer = 'O',  // producer number
  kLogFile = 'F',      // producer number, key of the file (16 bytes)
};

std::string MetaKey(MetaKind kind);
std::string MetaKey(MetaKind kind, uint32_t number);
std::string MetaKey(MetaKind kind, uint32_t number, uint32_t second);
std::string MetaKey(MetaKind kind, uint32_t number, uint64_t second);

std::string LogFileKey(uint32_t producer, std::string_view key);
struct LogFileKeyParts {
  uint32_t producer = 0;
  std::string_view key;
};
std::optional<LogFileKeyParts> ParseLogFileKey(std::string_view key);

// The parts of a meta key after its kind; second is 0 when the key has none.
struct MetaKeyParts {
  MetaKind kind = MetaKind::kIdentity;
  uint32_t number = 0;
  uint64_t second = 0;
};
std::optional<MetaKeyParts> ParseMetaKey(std::string_view key);

std::string SequenceKey(uint64_t sequence);  // queues
std::optional<uint64_t> ParseSequenceKey(std::string_view key);

std::string BlockKey(InstanceNumber instance, uint64_t block);  // `series`
struct BlockKeyParts {
  InstanceNumber instance = 0;
  uint64_t block = 0;
};
std::optional<BlockKeyParts> ParseBlockKey(std::string_view key);

// `aside`: frames by destination and sequence, dead letters by number.
std::string AsideFrameKey(Generation destination, uint64_t sequence);
std::string DeadLetterKey(uint64_t number);
inline constexpr char kAsideFrames = 'F';
inline constexpr char kDeadLetters = 'L';

// The smallest key that is greater than every key that begins with `prefix`.
std::string PrefixEnd(std::string_view prefix);

}  // namespace ampari
