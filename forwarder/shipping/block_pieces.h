// A registration block as smaller ones, for a gateway that takes less in one message than the
// block was made for. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ampari {

struct BlockPiece {
  uint64_t number = 0;
  std::string bytes;  // encoded
};

// Pieces are numbered from here on: the scraping stage counts its blocks from 1.
inline constexpr uint64_t kFirstPieceNumber = uint64_t{1} << 62;

// The block's series and layouts in stream order, in pieces of at most `max_bytes` numbered from
// `*next_number`, which moves on. A piece of one series or one layout may be larger: it cannot be
// made smaller. `bytes` is a block that EncodeRegistration made.
std::vector<BlockPiece> PiecesOf(const std::string& bytes, size_t max_bytes, uint64_t* next_number);

}  // namespace ampari
