// Which of several gateways a forwarder is bound to. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ampari {

// Rendezvous hashing: the address whose hash together with the forwarder's name is the highest.
// Taking another address out of the list, or adding one, moves only the forwarders that it
// concerns; the order of the list does not matter. Empty for an empty list.
std::string ChooseGateway(std::span<const std::string> addresses, std::string_view forwarder_name);

}  // namespace ampari
