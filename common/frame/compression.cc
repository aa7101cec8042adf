#include "common/frame/compression.h"

#include <zstd.h>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"

namespace ampari {

namespace {

constexpr size_t kKeptBytes = size_t{2} << 20;
constexpr int kLineHashLog = 13;  // 8,192 entries of four bytes

struct CompressState {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  std::string room;  // reused: fresh memory of a bound's size costs as much as half of compressing

  CompressState() { Set(ZSTD_c_compressionLevel, kZstdLevel); }
  ~CompressState() { ZSTD_freeCCtx(zstd); }
  CompressState(const CompressState&) = delete;
  CompressState& operator=(const CompressState&) = delete;
  void Set(ZSTD_cParameter parameter, int value) const {
    Check(!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, parameter, value)), "a parameter of zstd");
  }
};

}  // namespace

void* NewCompressState() { return new CompressState; }
void* NewLineCompressState() {
  auto* state = new CompressState;
  state->Set(ZSTD_c_hashLog, kLineHashLog);
  return state;
}
void* NewDecompressState() { return ZSTD_createDCtx(); }
void FreeCompressState(void* state) { delete static_cast<CompressState*>(state); }
void FreeDecompressState(void* state) { ZSTD_freeDCtx(static_cast<ZSTD_DCtx*>(state)); }

void CompressAppend(void* opaque, std::string_view raw, std::string* out) {
  auto* state = static_cast<CompressState*>(opaque);
  const size_t bound = ZSTD_compressBound(raw.size());
  if (state->room.size() < bound) state->room.resize(bound);
  const size_t size =
      ZSTD_compress2(state->zstd, state->room.data(), bound, raw.data(), raw.size());
  Check(!ZSTD_isError(size), "zstd fails within its own bound");
  out->append(state->room, 0, size);
  if (state->room.size() > kKeptBytes) std::string().swap(state->room);
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
