// zstd over whole buffers, for frames and registration blocks. zstd.h stays in the .cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ampari {

inline constexpr int kZstdLevel = 1;  // 3 measured no smaller on frames, at twice the time

// States are reused from call to call by one thread at a time.
void* NewCompressState();
// Of the same level, for lines of logs: its table of matches stays in the cache next to the core,
// which measured a fifth faster and no larger.
void* NewLineCompressState();
void* NewDecompressState();
void FreeCompressState(void* state);
void FreeDecompressState(void* state);

// Appends the compressed form of `raw` to `out`, which takes no more memory than it needs.
void CompressAppend(void* state, std::string_view raw, std::string* out);
// Fills exactly `raw_size` bytes at `raw`; DataLoss when `compressed` is not one zstd frame of that
// size.
absl::Status DecompressExactly(void* state, std::string_view compressed, char* raw,
                               size_t raw_size);

}  // namespace ampari
