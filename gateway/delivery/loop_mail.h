// LoopMail: what other threads tell the delivery loop. Outlives the loop in the callbacks that hold
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/http/loop.h"
#include "common/runtime/mutex.h"
#include "gateway/delivery/delivery_settings.h"

namespace ampari {

// Thread-safe.
class LoopMail {
 public:
  struct Contents {
    bool records = false;            // the queue has grown or its cursors moved
    bool stop = false;               // stays once it was said
    std::vector<uint32_t> settled;   // lanes, one entry per durable settlement
    std::vector<uint32_t> intended;  // lanes whose range's extent is durable
    std::optional<DeliverySettings> settings;
  };

  // While attached, `loop` is woken by each message.
  void Attach(HttpLoop* loop) {
    MutexLock lock(mu_);
    loop_ = loop;
  }
  void Detach() { Attach(nullptr); }

  void Records() {
    MutexLock lock(mu_);
    contents_.records = true;
    Wake();
  }
  void Settled(uint32_t lane) {
    MutexLock lock(mu_);
    contents_.settled.push_back(lane);
    Wake();
  }
  void Intended(uint32_t lane) {
    MutexLock lock(mu_);
    contents_.intended.push_back(lane);
    Wake();
  }
  void Configure(DeliverySettings settings) {
    MutexLock lock(mu_);
    contents_.settings = std::move(settings);
    Wake();
  }
  void Stop() {
    MutexLock lock(mu_);
    contents_.stop = true;
    Wake();
  }

  Contents Take() {
    MutexLock lock(mu_);
    Contents taken = std::exchange(contents_, Contents{});
    contents_.stop = taken.stop;
    return taken;
  }

 private:
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (loop_ != nullptr) loop_->Wakeup();
  }

  Mutex mu_;
  Contents contents_ ABSL_GUARDED_BY(mu_);
  HttpLoop* loop_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace ampari
