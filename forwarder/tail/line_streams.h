// LineStreams: the label sets of the streams of one target, made once each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "common/labels/labels.h"
#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/log_type.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {

// A promoted value that is longer is cut, between two characters where it is UTF-8. Loki's default
// limit of label values.
inline constexpr size_t kMaxPromotedValueBytes = 2048;
std::string_view CutValue(std::string_view value, size_t max_bytes);

// Not thread-safe. `target` and `promoted` must outlive it; the label sets stay where they are for
// as long as it lives.
class LineStreams {
 public:
  LineStreams(const Labels& target, const std::vector<PromotedField>& promoted)
      : target_(target), promoted_(promoted) {}

  // The target's labels and, where it has none of that name, log_type, stream, and those of the
  // promoted fields that are there. When there are LinePlan::kMaxStreams already, a new one is
  // counted and gets no promoted labels.
  const Labels& Of(LogType type, LogOutput output, const AccessFields& fields);
  uint64_t refused() const { return refused_; }

 private:
  const Labels& Plain(LogType type, LogOutput output);
  Labels Made(LogType type, LogOutput output, const AccessFields& fields) const;

  const Labels& target_;
  const std::vector<PromotedField>& promoted_;
  std::array<std::unique_ptr<const Labels>, 8> plain_;  // of lines without promoted fields
  absl::node_hash_map<std::string, Labels> made_;       // by type, output and promoted values
  std::string key_;                                     // reused
  uint64_t refused_ = 0;
};

}  // namespace ampari
