// LinePlan: what becomes of the lines of one target: their type, the fields of access lines, which
// are kept, and the stream and structured metadata of each. Made once per target, asked per line.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/frame/log_frame.h"
#include "common/labels/labels.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

enum class LineFate : uint8_t { kKept, kDropped, kSampledOut, kTooLong };

// Where a kept line goes. Both live in the plan: `labels` for as long as the plan does (equal label
// sets have one address), `metadata` until the next line.
struct PlannedLine {
  const Labels* labels = nullptr;
  const LogMetadata* metadata = nullptr;
};

// The stream of a line has the target's labels and, where the target has none of that name,
// `log_type` (LogTypeName) and `stream` (stdout, stderr), and the promoted fields that the line
// has. Not thread-safe.
class LinePlan {
 public:
  // Promoted values make streams: further ones than this, of one target, go without promoted labels
  // and are counted.
  static constexpr size_t kMaxStreams = 10'000;

  // Of the structured metadata of one line, names included; what is beyond is cut. Loki takes 64
  // KiB.
  static constexpr size_t kMaxMetadataBytes = size_t{60} << 10;

  // InvalidArgument: a rule's regex.
  static absl::StatusOr<std::unique_ptr<LinePlan>> Make(const LogTarget& target);
  ~LinePlan();
  LinePlan(const LinePlan&) = delete;
  LinePlan& operator=(const LinePlan&) = delete;

  LineFate Plan(const JoinedLine& line, PlannedLine* out);
  uint64_t streams_refused() const;  // lines whose promoted labels were left out
  uint64_t unparsed() const;         // access lines that no format fits: they have no fields

 private:
  class Core;
  explicit LinePlan(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
