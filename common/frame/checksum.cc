#include "common/frame/checksum.h"

#define XXH_STATIC_LINKING_ONLY  // the state on the stack
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "common/runtime/check.h"

namespace ampari {

uint64_t ChecksumWithout(const std::vector<std::string_view>& pieces, size_t zero_at) {
  const size_t head_size = zero_at + sizeof(uint64_t);
  Check(head_size <= kMaxCheckedHeaderBytes, "the checksum lies in the header");
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset(&state);
  // The head may be cut anywhere, so it is collected first.
  std::array<char, kMaxCheckedHeaderBytes> head;
  size_t collected = 0;
  for (std::string_view piece : pieces) {
    if (collected < head_size) {
      const size_t take = std::min(piece.size(), head_size - collected);
      std::memcpy(head.data() + collected, piece.data(), take);
      collected += take;
      piece.remove_prefix(take);
      if (collected < head_size) continue;
      std::memset(head.data() + zero_at, 0, sizeof(uint64_t));
      XXH3_64bits_update(&state, head.data(), head_size);
    }
    XXH3_64bits_update(&state, piece.data(), piece.size());
  }
  Check(collected == head_size, "a header is whole before it is checked");
  return XXH3_64bits_digest(&state);
}

}  // namespace ampari
