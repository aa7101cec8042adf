// DeliveryMeter: counts what one destination does, for those who look at it from other threads.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/http/loop.h"
#include "common/runtime/mutex.h"
#include "gateway/delivery/cargo.h"
#include "gateway/delivery/delivery_status.h"
#include "gateway/delivery/rate_window.h"

namespace ampari {

// `url` without user information and query, for people.
std::string ShownUrl(const std::string& url);

// Thread-safe.
class DeliveryMeter {
 public:
  explicit DeliveryMeter(DestinationId id);

  void SetUrl(const std::string& url);
  void OnRequest(uint64_t samples, uint64_t bytes, bool is_retry);
  // `delivered`: samples of a request that the region took.
  void OnAnswer(int http_status, uint64_t delivered, absl::Duration now);
  void OnFailure(const std::string& words, int64_t now_ms);
  void OnSuccess();
  void AddNotes(const BuildNotes& notes);
  struct Moment {
    bool held = false;
    std::string state;
    std::string brake;  // what slowed it since the last call
    uint32_t in_flight = 0;
    double accepted_rate = 0;
    int64_t now_ms = 0;
  };
  // Called by the loop in every turn.
  void Observe(const Moment& moment, absl::Duration now);

  DeliveryStatus status(absl::Duration now) const;

 private:
  mutable Mutex mu_;
  DeliveryStatus status_ ABSL_GUARDED_BY(mu_);
  RateWindow window_ ABSL_GUARDED_BY(mu_);
  absl::Duration observed_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
