#include "forwarder/shipping/gateway_move.h"

#include <utility>

#include "common/runtime/logging.h"

namespace ampari {

void GatewayMove::To(std::string address, absl::Duration now) {
  if (address == home_) {
    if (!target_.empty()) Log(LogLevel::kInfo, "staying at the gateway", {{"gateway", home_}});
    target_.clear();
    return session_.Stay();
  }
  if (address == target_) return;
  if (target_.empty()) {
    began_ = now;
    session_.Leave();
  }
  target_ = std::move(address);
  Log(LogLevel::kInfo, "leaving the gateway once it has settled what it was sent",
      {{"gateway", home_},
       {"next", target_},
       {"sent", session_.status().sent},
       {"settled", ring_.settled()}});
}

bool GatewayMove::Step(absl::Duration now) {
  if (target_.empty()) return false;
  if (session_.may_go()) return Go(ring_.settled());
  if (session_.status().superseded || now < began_ + patience_) return false;
  return GoUnsettled();
}

bool GatewayMove::Hurry() {
  if (target_.empty()) return false;
  if (session_.may_go()) return Go(ring_.settled());
  if (!session_.status().welcomed) return GoUnsettled();
  target_.clear();
  session_.Stay();
  return false;
}

absl::Duration GatewayMove::NextWake() const {
  if (target_.empty() || session_.status().superseded) return absl::InfiniteDuration();
  return session_.may_go() ? began_ : began_ + patience_;
}

bool GatewayMove::GoUnsettled() {
  ++impatient_moves_;
  const bool answers = session_.status().welcomed;
  Log(LogLevel::kWarn, "leaving a gateway that has not settled what it was sent",
      {{"gateway", home_},
       {"answers", answers},
       {"settled", ring_.settled()},
       {"acknowledged", ring_.acknowledged()},
       {"last", ring_.last()}});
  return Go(answers ? ring_.acknowledged() : ring_.settled());
}

bool GatewayMove::Go(uint64_t forget_upto) {
  ++moves_;
  home_ = std::exchange(target_, {});
  session_.GoElsewhere(forget_upto);
  Log(LogLevel::kInfo, "going to another gateway", {{"gateway", home_}, {"waiting", ring_.last()}});
  return true;
}

}  // namespace ampari
