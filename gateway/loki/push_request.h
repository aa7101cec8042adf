// PushRequestEncoder: bodies of a Loki push (grafana/loki, pkg/push/push.proto): a
// logproto.PushRequest, proto/loki/push.proto, in the snappy block format. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/frame/log_frame.h"
#include "common/labels/labels.h"

namespace ampari {

// Lines of one stream, in pieces of one order. What it refers to must outlive the encoding.
struct PushStream {
  std::string_view selector;  // StreamSelector() of its labels
  std::vector<std::span<const LogEntry>> pieces;
};

// {a="x", b="y"} as Loki wants it: names sorted, values quoted as Go does, invalid UTF-8 as U+FFFD.
std::string StreamSelector(const Labels& labels);

// `text` with U+FFFD for each byte that is not UTF-8, as lines are encoded.
std::string MendedUtf8(std::string_view text);

// Not thread-safe; buffers are reused. The same streams always give the same bytes: a resend that
// is stored already is recognised by equal time, line and metadata.
class PushRequestEncoder {
 public:
  // The compressed body. Bytes that are not UTF-8 become U+FFFD.
  std::string Encode(std::span<const PushStream> streams);

 private:
  std::string plain_, stream_;
};

}  // namespace ampari
