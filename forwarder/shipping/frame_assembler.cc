#include "forwarder/shipping/frame_assembler.h"

namespace ampari {
namespace {

bool IsEmpty(const Scrape& scrape) {
  return scrape.body_layout == 0 && scrape.report_layout == 0 && scrape.stale_positions.empty() &&
         scrape.metadata.empty();
}

}  // namespace

EncodedShipment::EncodedShipment(Shipment shipment)
    : scrape(std::move(shipment.scrape)),
      samples(shipment.samples),
      retired_blocks(std::move(shipment.retired_blocks)) {
  for (const RegistrationBlock& block : shipment.registrations) {
    blocks.push_back({block.number, EncodeRegistration(block)});
  }
}

bool FrameAssembler::Add(EncodedShipment shipment, absl::Duration now) {
  bool flushed = false;
  const bool has_scrape = !IsEmpty(shipment.scrape);
  if (has_scrape && (scrapes_ == kMaxScrapesPerFrame ||
                     builder_.raw_bytes() + EncodedScrapeBound(shipment.scrape) > max_raw_bytes_)) {
    flushed = Flush(now);
  }
  for (EncodedShipment::Block& block : shipment.blocks) {
    registrations_.Add(block.number, std::move(block.bytes));
  }
  retired_.insert(retired_.end(), shipment.retired_blocks.begin(), shipment.retired_blocks.end());
  if (has_scrape) {
    builder_.Add(shipment.scrape, shipment.samples);
    ++scrapes_;
    samples_total_ += shipment.samples;
  }
  if (!waiting_since_ && (has_scrape || !retired_.empty())) waiting_since_ = now;
  if (builder_.raw_bytes() >= flush_bytes_) flushed |= Flush(now);
  return flushed;
}

bool FrameAssembler::Flush(absl::Duration now) {
  if (!waiting_since_) return false;
  waiting_since_.reset();
  if (!builder_.empty()) {
    const uint64_t samples = builder_.samples();
    std::string frame = builder_.Finish(ring_.next());
    ++frames_total_;
    frame_bytes_total_ += frame.size();
    ring_.Push(std::move(frame), samples, now);
    scrapes_ = 0;
  }
  if (!retired_.empty()) registrations_.Retire(retired_, ring_.last());
  retired_.clear();
  registrations_.Forget(ring_.first_frame(), ring_.acknowledged());
  return true;
}

}  // namespace ampari
