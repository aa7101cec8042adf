// DestinationLoop: the delivery of one destination over any RecordSource: one thread with its own
// HTTP loop.
#pragma once

#include <memory>
#include <thread>

#include "common/runtime/clock.h"
#include "gateway/delivery/cargo.h"
#include "gateway/delivery/delivery_meter.h"
#include "gateway/delivery/loop_mail.h"
#include "gateway/delivery/record_source.h"

namespace ampari {

// Reconfigure() and status() are thread-safe; Start() and Stop() belong to the owner. `source` and
// `clock` must outlive it; callbacks of the source may still run afterwards.
class DestinationLoop {
 public:
  // `settings` are of the kind that `cargo` takes.
  DestinationLoop(DestinationId id, DeliverySettings settings, RecordSource& source,
                  std::unique_ptr<Cargo> cargo, const Clock& clock);
  ~DestinationLoop();  // Stop()
  DestinationLoop(const DestinationLoop&) = delete;
  DestinationLoop& operator=(const DestinationLoop&) = delete;

  void Start();
  void Reconfigure(DeliverySettings settings);
  DeliveryStatus status() const;
  void Stop();

 private:
  void Run(int64_t started_ms);

  const DestinationId id_;
  DeliverySettings settings_;  // of the start; later ones travel by mail
  RecordSource& source_;
  std::unique_ptr<Cargo> cargo_;
  const Clock& clock_;
  DeliveryMeter meter_;
  std::shared_ptr<LoopMail> mail_;
  std::thread thread_;
};

}  // namespace ampari
