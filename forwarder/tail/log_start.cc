#include "forwarder/tail/log_start.h"

#include <algorithm>
#include <string_view>

namespace ampari {

bool StartsAtBeginning(LogStart start, absl::Time born, absl::Time first_contact) {
  switch (start) {
    case LogStart::kBeginning:
      return true;
    case LogStart::kAuto:
      return born >= first_contact - kReadWholeBeforeContact;
    case LogStart::kEnd:
      break;
  }
  return born >= first_contact;
}

uint64_t EndOfLastLine(LogSource& source, std::span<char> buffer) {
  const uint64_t size = source.size();
  uint64_t end = size;
  while (end > 0 && size - end < kMaxTailBytes) {
    const uint64_t begin = end - std::min<uint64_t>(end, buffer.size());
    bool at_end = false;
    const auto n = source.ReadAt(begin, buffer.first(end - begin), &at_end);
    if (!n.ok()) return size;
    const size_t newline = std::string_view(buffer.data(), *n).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    end = begin;
  }
  return end == 0 ? 0 : size;
}

}  // namespace ampari
