// Arbitrary bytes as either program's configuration: an error or a configuration that prints.
#include <cstdint>
#include <string>

#include "forwarder/config.h"
#include "gateway/config.h"

namespace ampari {
namespace {

void Run(const std::string& yaml) {
  const auto gateway = ParseGatewayConfig(yaml, "gateway.yaml");
  if (gateway.ok()) (void)PrintGatewayConfig(*gateway);
  for (const bool skip : {false, true}) {
    const auto forwarder = ParseForwarderConfig(yaml, "forwarder.yaml", {skip});
    if (forwarder.ok()) (void)PrintForwarderConfig(*forwarder);
  }
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
