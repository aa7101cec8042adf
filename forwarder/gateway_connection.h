// How a forwarder's configuration becomes a connection to one of its gateways. Pure.
#pragma once

#include <string>

#include "forwarder/config.h"
#include "forwarder/shipping/metrics_shipper.h"

namespace ampari {

// As `forwarder_name`, with the configured credentials and TLS, to `address` of the list.
ShippingOptions ConnectionTo(const GatewayClientConfig& gateway, std::string address,
                             std::string forwarder_name);

}  // namespace ampari
