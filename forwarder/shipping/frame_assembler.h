// FrameAssembler: collects the shipments of one flush and puts frames into the ring, registrations
// before them and retirements behind. Never splits a scrape. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/frame.h"
#include "forwarder/shipping/registrations.h"
#include "forwarder/shipping/ring.h"
#include "forwarder/shipping/shipment.h"

namespace ampari {

// A shipment whose registration blocks are encoded, which many threads can do at once.
struct EncodedShipment {
  explicit EncodedShipment(Shipment shipment);
  struct Block {
    uint64_t number = 0;
    std::string bytes;
  };
  std::vector<Block> blocks;
  Scrape scrape;
  uint64_t samples = 0;
  std::vector<uint64_t> retired_blocks;
};

class FrameAssembler {
 public:
  // A frame is flushed when its body reaches `flush_bytes`, or earlier when `max_raw_bytes` would
  // be exceeded.
  FrameAssembler(size_t flush_bytes, size_t max_raw_bytes, Ring& ring, Registrations& registrations)
      : flush_bytes_(flush_bytes),
        max_raw_bytes_(max_raw_bytes),
        ring_(ring),
        registrations_(registrations) {}

  void set_max_raw_bytes(size_t bytes) { max_raw_bytes_ = bytes; }
  // True when a frame went into the ring.
  bool Add(EncodedShipment shipment, absl::Duration now);
  // Whatever is there becomes a frame. True when there was something.
  bool Flush(absl::Duration now);
  // When the oldest scrape that is not in a frame was added; nullopt: there is none.
  std::optional<absl::Duration> waiting_since() const { return waiting_since_; }

  uint64_t frames_total() const { return frames_total_; }
  uint64_t frame_bytes_total() const { return frame_bytes_total_; }
  uint64_t samples_total() const { return samples_total_; }

 private:
  const size_t flush_bytes_;
  size_t max_raw_bytes_;
  Ring& ring_;
  Registrations& registrations_;
  FrameBuilder builder_;
  uint32_t scrapes_ = 0;
  std::vector<uint64_t> retired_;  // to be retired after the frame under construction
  std::optional<absl::Duration> waiting_since_;
  uint64_t frames_total_ = 0, frame_bytes_total_ = 0, samples_total_ = 0;
};

}  // namespace ampari
