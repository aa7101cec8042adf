#include "common/frame/compression.h"

#include <zstd.h>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"

namespace ampari {

void* NewCompressState() { return ZSTD_createCCtx(); }
void* NewDecompressState() { return ZSTD_createDCtx(); }
void FreeCompressState(void* state) { ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(state)); }
void FreeDecompressState(void* state) { ZSTD_freeDCtx(static_cast<ZSTD_DCtx*>(state)); }

void CompressAppend(void* state, std::string_view raw, std::string* out) {
  const size_t before = out->size();
  out->resize(before + ZSTD_compressBound(raw.size()));
  const size_t size = ZSTD_compressCCtx(static_cast<ZSTD_CCtx*>(state), out->data() + before,
                                        out->size() - before, raw.data(), raw.size(), kZstdLevel);
  Check(!ZSTD_isError(size), "zstd fails within its own bound");
  out->resize(before + size);
}

absl::Status DecompressExactly(void* state, std::string_view compressed, char* raw,
                               size_t raw_size) {
  const size_t size = ZSTD_decompressDCtx(static_cast<ZSTD_DCtx*>(state), raw, raw_size,
                                          compressed.data(), compressed.size());
  if (ZSTD_isError(size)) {
    return absl::DataLossError(absl::StrCat("zstd: ", ZSTD_getErrorName(size)));
  }
  if (size != raw_size) {
    return absl::DataLossError(
        absl::StrCat("zstd: ", size, " bytes where the header says ", raw_size));
  }
  return absl::OkStatus();
}

}  // namespace ampari
