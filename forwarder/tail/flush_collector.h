// FlushCollector: the lines and files of one flush, by stream, until they become a frame.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/frame/log_frame.h"
#include "common/labels/labels.h"
#include "forwarder/shipping/log_shipper.h"

namespace ampari {

// Not thread-safe; reusable after Finish(). Lines are copied in; those of one stream keep their
// order.
class FlushCollector {
 public:
  FlushCollector();
  ~FlushCollector();
  FlushCollector(const FlushCollector&) = delete;
  FlushCollector& operator=(const FlushCollector&) = delete;

  // Equal label sets may come from several plans.
  void AddLine(const Labels& labels, int64_t time_ns, std::string_view line,
               const LogMetadata& metadata);
  // Once per file and flush, when it is known how far the file was read. Files whose lines were all
  // filtered out move their position too.
  void AddFile(const LogFilePart& part);

  bool empty() const;  // neither a line nor a file
  uint64_t lines() const;
  size_t raw_bytes() const;  // before compression
  LogFlush Finish(uint64_t round);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
