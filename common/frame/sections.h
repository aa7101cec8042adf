// Optional sections of a scrape record: what most scrapes do not have. Pure; FORMAT.md has the
// bytes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/frame/scrape.h"
#include "common/frame/varint.h"

namespace ampari {

// Ids never change their meaning. A reader that does not know a required section cannot read the
// scrape; one that is not required it passes over.
enum class SectionId : uint32_t {
  kAbsent = 1,
  kTimestamps = 2,
  kAllStale = 3,
  kReportStale = 4,
  kStalePositions = 5,
  kMetadata = 6,
  kExemplars = 7,         // reserved
  kStartTimes = 8,        // reserved
  kNativeHistograms = 9,  // reserved
  kMergedRange = 10,      // reserved
};

void AppendSections(const Scrape& scrape, std::string* out);
size_t SectionsBound(const Scrape& scrape);
// Reads sections to the end of `in`. `scrape->timestamp_ms` is set already. DataLoss when
// malformed, Unimplemented for an unknown required section.
absl::Status ReadSections(ByteCursor* in, Scrape* scrape);

}  // namespace ampari
