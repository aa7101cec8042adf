// Outgoing: one message on its way to the gateway.
#pragma once

#include <memory>
#include <string>

#include "ampari/v1/shipping.pb.h"

namespace ampari {

// `head` and then `body` are its bytes; the body is shared with the ring.
struct Outgoing {
  std::string head;
  std::shared_ptr<const std::string> body;  // null: head is all
};

inline Outgoing WholeMessage(const v1::ForwarderMessage& message) {
  return {message.SerializeAsString(), nullptr};
}

}  // namespace ampari
