// StreamRenderer: from a stream's labels to what a destination is sent of them: external labels
// where they are absent, then the entry's enforced labels, then the limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/labels/labels.h"
#include "gateway/config.h"

namespace ampari {

inline constexpr size_t kMaxStreamCacheBytes = size_t{16} << 20;

struct StreamRules {
  Labels external_labels;
  LogLimits limits;
};

// Immutable.
struct RenderedStream {
  std::string selector;  // as Loki wants it
  std::string refusal;   // words when a limit refuses the stream, its labels included; else empty
};

// Words when a limit refuses the labels, or when a name is not of [a-zA-Z_][a-zA-Z0-9_]*: a
// selector has names unquoted, where such a name could pass for other labels. Empty when none does.
// Pure.
std::string StreamRefusal(const Labels& labels, const LogLimits& limits);
// The same without looking anything up. Pure.
RenderedStream RenderStream(const Labels& stream, const Labels& enforced, const StreamRules& rules);

// Remembers what it rendered, up to a bound in bytes at which it forgets all. Not thread-safe.
class StreamRenderer {
 public:
  explicit StreamRenderer(StreamRules rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const RenderedStream> Render(const Labels& stream, const Labels& enforced);
  const StreamRules& rules() const { return rules_; }

 private:
  const StreamRules rules_;
  std::unordered_map<std::string, std::shared_ptr<const RenderedStream>> known_;
  size_t known_bytes_ = 0;
  std::string key_;  // reused
};

}  // namespace ampari
