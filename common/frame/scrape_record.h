// Scrape records: one scrape inside the body of a metrics frame. Pure; FORMAT.md has the bytes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/frame/frame.h"
#include "common/frame/varint.h"

namespace ampari {

// Appends the record with its length before it.
void AppendScrapeRecord(const Scrape& scrape, std::string* out);
// Reads one record, checks it against the sizes of its layouts, and adds its samples to `*samples`.
// kColumnPadding bytes after the cursor's last one must be readable. Errors as
// FrameDecoder::Decode.
absl::StatusOr<Scrape> ReadScrapeRecord(ByteCursor* in, const LayoutSizes& sizes,
                                        uint64_t* samples);

}  // namespace ampari
