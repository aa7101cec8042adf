#include "forwarder/gateway_connection.h"

#include <utility>

namespace ampari {

ShippingOptions ConnectionTo(const GatewayClientConfig& gateway, std::string address,
                             std::string forwarder_name) {
  ShippingOptions options;
  options.address = std::move(address);
  options.forwarder_name = std::move(forwarder_name);
  options.insecure = gateway.insecure;
  options.ca_file = gateway.tls.ca_file;
  options.ca = gateway.tls.ca;
  options.server_name = gateway.tls.server_name;
  options.token_file = gateway.token.file;
  options.token = gateway.token.value;
  options.ring_bytes = gateway.ring_bytes;
  return options;
}

}  // namespace ampari
