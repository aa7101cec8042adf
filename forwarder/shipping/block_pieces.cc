#include "forwarder/shipping/block_pieces.h"

#include <iterator>
#include <utility>

#include "common/frame/registration.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

template <typename T>
std::vector<T> Take(std::vector<T>& all, size_t first) {
  std::vector<T> taken(std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(first)),
                       std::make_move_iterator(all.end()));
  all.resize(first);
  return taken;
}

// Takes the later half out of `block`: its layouts if it has series too, else half of what it has.
RegistrationBlock TakeHalf(RegistrationBlock& block) {
  RegistrationBlock later;
  if (block.layouts.empty()) {
    const size_t half = block.series.size() / 2;
    later.first_series = block.first_series + half;
    later.series = Take(block.series, half);
    return later;
  }
  const size_t half = block.series.empty() ? block.layouts.size() / 2 : 0;
  later.first_layout = block.first_layout + half;
  later.layouts = Take(block.layouts, half);
  if (half == 0) block.first_layout = 0;
  return later;
}

void AppendPieces(RegistrationBlock block, size_t max_bytes, uint64_t* next_number,
                  std::vector<BlockPiece>* pieces) {
  block.number = *next_number;
  std::string bytes = EncodeRegistration(block);
  if (bytes.size() <= max_bytes || block.series.size() + block.layouts.size() <= 1) {
    pieces->push_back({(*next_number)++, std::move(bytes)});
    return;
  }
  RegistrationBlock later = TakeHalf(block);
  AppendPieces(std::move(block), max_bytes, next_number, pieces);
  AppendPieces(std::move(later), max_bytes, next_number, pieces);
}

}  // namespace

std::vector<BlockPiece> PiecesOf(const std::string& bytes, size_t max_bytes,
                                 uint64_t* next_number) {
  absl::StatusOr<RegistrationBlock> block = DecodeRegistration(bytes);
  Check(block.ok(), "a block of our own can be decoded");
  std::vector<BlockPiece> pieces;
  AppendPieces(*std::move(block), max_bytes, next_number, &pieces);
  return pieces;
}

}  // namespace ampari
