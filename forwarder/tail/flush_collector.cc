#include "forwarder/tail/flush_collector.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"

namespace ampari {

class FlushCollector::Core {
 public:
  void AddLine(const Labels& labels, int64_t time_ns, std::string_view line,
               const LogMetadata& metadata) {
    frame_.AddLineTo(StreamOf(labels), time_ns, line, metadata);
  }

  void AddFile(const LogFilePart& part) {
    frame_.AddFile(part);
    files_.push_back(part);
  }

  LogFlush Finish(uint64_t round) {
    LogFlush flush;
    flush.round = round;
    flush.lines = frame_.lines();
    flush.frame = frame_.Finish(1);  // the shipper numbers it
    flush.files = std::exchange(files_, {});
    streams_.clear();
    recent_.fill({});
    return flush;
  }

  const LogFrameBuilder& frame() const { return frame_; }

 private:
  // Where label sets were seen last. An address alone proves nothing: the set that it belonged to
  // may be gone.
  struct Seen {
    const Labels* address = nullptr;
    std::string_view bytes;  // a key of streams_
    uint32_t stream = 0;
  };

  uint32_t StreamOf(const Labels& labels) {
    // Neighbours of one array differ in the bits above their alignment.
    Seen& seen = recent_[(reinterpret_cast<uintptr_t>(&labels) / sizeof(Labels)) % recent_.size()];
    if (seen.address == &labels && seen.bytes == labels.bytes()) return seen.stream;
    const std::string_view bytes = labels.bytes();
    auto at = streams_.find(absl::string_view(bytes.data(), bytes.size()));
    if (at == streams_.end()) {
      at = streams_.emplace(std::string(bytes), 0).first;
      at->second = frame_.OpenStream(labels);
    }
    seen = {&labels, at->first, at->second};
    return at->second;
  }

  LogFrameBuilder frame_;
  absl::node_hash_map<std::string, uint32_t> streams_;  // by the bytes of their labels
  std::array<Seen, 256> recent_;
  std::vector<LogFilePart> files_;
};

FlushCollector::FlushCollector() : core_(std::make_unique<Core>()) {}
FlushCollector::~FlushCollector() = default;

void FlushCollector::AddLine(const Labels& labels, int64_t time_ns, std::string_view line,
                             const LogMetadata& metadata) {
  core_->AddLine(labels, time_ns, line, metadata);
}

void FlushCollector::AddFile(const LogFilePart& part) { core_->AddFile(part); }
bool FlushCollector::empty() const { return core_->frame().empty(); }
uint64_t FlushCollector::lines() const { return core_->frame().lines(); }
size_t FlushCollector::raw_bytes() const { return core_->frame().raw_bytes(); }
LogFlush FlushCollector::Finish(uint64_t round) { return core_->Finish(round); }

}  // namespace ampari
