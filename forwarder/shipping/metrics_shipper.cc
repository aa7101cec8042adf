#include "forwarder/shipping/metrics_shipper.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "forwarder/shipping/frame_assembler.h"
#include "forwarder/shipping/metrics_cargo.h"
#include "forwarder/shipping/stream_driver.h"

namespace ampari {
namespace {

// A frame of one scrape fits even if zstd cannot compress it.
size_t MaxRawBytes(uint64_t max_frame_bytes) {
  return max_frame_bytes - max_frame_bytes / 128 - 1024;
}

}  // namespace

// The wiring: shipments become frames, frames wait in the ring, the driver streams them.
class MetricsShipper::Core final : public DriverLoad {
 public:
  Core(ShippingOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        ring_(options_.ring_bytes),
        assembler_(options_.flush_bytes, MaxRawBytes(uint64_t{16} << 20), ring_, registrations_),
        cargo_(ring_, registrations_),
        session_({options_.forwarder_name, RandomInstance}, ring_, cargo_),
        driver_(options_, "samples", clock_, ring_, session_, *this) {}

  StreamDriver& driver() { return driver_; }

  void Push(Shipment shipment) {
    EncodedShipment encoded(std::move(shipment));
    bool flushed = false;
    {
      MutexLock lock(driver_.mu());
      const bool was_waiting = assembler_.waiting_since().has_value();
      const absl::Duration now = clock_.Monotonic();
      flushed = assembler_.Add(std::move(encoded), now);
      if (flushed) session_.OnPushed(now);
      if (!was_waiting) driver_.Notify();
    }
    if (flushed) driver_.Wake();
  }

  size_t max_scrape_bytes() {
    MutexLock lock(driver_.mu());
    return MaxRawBytes(session_.status().max_frame_bytes);
  }

  ShippingStatus status() {
    MutexLock lock(driver_.mu());
    ShippingStatus status = driver_.status();
    status.ring_max_bytes = options_.ring_bytes;
    status.registration_bytes = registrations_.bytes();
    status.unsendable_registrations_total = cargo_.unsendable();
    status.frames_total = assembler_.frames_total();
    status.frame_bytes_total = assembler_.frame_bytes_total();
    status.samples_total = assembler_.samples_total();
    return status;
  }

  // --- DriverLoad
  void OnWelcomed() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(driver_.mu()) {
    assembler_.set_max_raw_bytes(MaxRawBytes(session_.status().max_frame_bytes));
  }
  void FlushDue(absl::Duration now) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(driver_.mu()) {
    if (now >= NextFlush()) FlushAll(now);
  }
  void FlushAll(absl::Duration now) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(driver_.mu()) {
    if (assembler_.Flush(now)) session_.OnPushed(now);
  }
  absl::Duration NextFlush() const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(driver_.mu()) {
    const auto waiting = assembler_.waiting_since();
    return waiting ? *waiting + options_.flush_interval : absl::InfiniteDuration();
  }

 private:
  const ShippingOptions options_;
  const Clock& clock_;
  Ring ring_ ABSL_GUARDED_BY(driver_.mu());
  Registrations registrations_ ABSL_GUARDED_BY(driver_.mu());
  FrameAssembler assembler_ ABSL_GUARDED_BY(driver_.mu());
  MetricsCargo cargo_ ABSL_GUARDED_BY(driver_.mu());
  Session session_ ABSL_GUARDED_BY(driver_.mu());
  mutable StreamDriver driver_;
};

MetricsShipper::MetricsShipper(ShippingOptions options, const Clock& clock)
    : core_(std::make_unique<Core>(std::move(options), clock)) {}
MetricsShipper::~MetricsShipper() { (void)Stop(absl::ZeroDuration()); }
void MetricsShipper::Start() { core_->driver().Start(); }
void MetricsShipper::Push(Shipment shipment) { core_->Push(std::move(shipment)); }
void MetricsShipper::MoveTo(const std::string& address) { core_->driver().MoveTo(address); }
size_t MetricsShipper::max_scrape_bytes() const { return core_->max_scrape_bytes(); }
ShippingStatus MetricsShipper::status() const { return core_->status(); }
absl::Status MetricsShipper::Stop(absl::Duration grace) { return core_->driver().Stop(grace); }

}  // namespace ampari
