// Where a file begins that the gateway does not know. Pure, but for looking for a newline.
#pragma once

#include <cstdint>
#include <span>

#include "absl/time/time.h"
#include "forwarder/tail/log_source.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

// A file may be older than the producer's first contact by so much and is still read whole.
inline constexpr absl::Duration kReadWholeBeforeContact = absl::Hours(1);

// `born`: of its first line, or the file's own where lines have no time.
bool StartsAtBeginning(LogStart start, absl::Time born, absl::Time first_contact);

// The offset behind the last newline of a plain file; 0: it has none. When there is none within the
// last kMaxTailBytes, or they cannot be read, it is the file's size.
inline constexpr uint64_t kMaxTailBytes = uint64_t{16} << 20;
uint64_t EndOfLastLine(LogSource& source, std::span<char> buffer);

}  // namespace ampari
