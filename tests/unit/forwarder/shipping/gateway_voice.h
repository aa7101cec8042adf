// GatewayVoice: the gateway of a session, played by a test.
#pragma once

#include "ampari/v1/shipping.pb.h"
#include "forwarder/shipping/session.h"

namespace ampari {

class GatewayVoice {
 public:
  explicit GatewayVoice(Session& hearer) : hearer_(hearer) {}

  void Welcome(v1::Welcome::Found found, uint64_t mark, uint64_t settled = 0,
               bool superseded = false) {
    v1::GatewayMessage message;
    v1::Welcome& welcome = *message.mutable_welcome();
    welcome.set_found(found);
    welcome.set_store_id(store_id);
    welcome.set_epoch(1);
    welcome.set_mark(mark);
    welcome.set_settled(settled);
    welcome.set_superseded(superseded);
    welcome.set_producer_age_ms(producer_age_ms);
    welcome.mutable_limits()->set_max_unacknowledged_bytes(window);
    welcome.mutable_limits()->set_max_frame_bytes(max_frame_bytes);
    welcome.mutable_limits()->set_max_registration_bytes(max_registration_bytes);
    hearer_.OnMessage(message, now);
  }
  void Ack(uint64_t durable, uint64_t settled = 0) {
    v1::GatewayMessage message;
    message.mutable_ack()->set_durable(durable);
    message.mutable_ack()->set_settled(settled);
    hearer_.OnMessage(message, now);
  }
  void Refuse(uint64_t sequence, v1::Refusal::Reason reason) {
    v1::GatewayMessage message;
    message.mutable_refusal()->set_sequence(sequence);
    message.mutable_refusal()->set_reason(reason);
    hearer_.OnMessage(message, now);
  }
  void Notice(bool superseded, bool paused = false, bool admitted = true) {
    v1::GatewayMessage message;
    message.mutable_notice()->set_superseded(superseded);
    message.mutable_notice()->set_paused(paused);
    message.mutable_notice()->set_admitted(admitted);
    hearer_.OnMessage(message, now);
  }

  absl::Duration now = absl::Seconds(1000);
  uint64_t window = uint64_t{1} << 20, max_frame_bytes = uint64_t{16} << 20;
  uint64_t max_registration_bytes = 0;  // not told
  std::string store_id = "store";
  uint64_t producer_age_ms = 0;

 private:
  Session& hearer_;
};

}  // namespace ampari
