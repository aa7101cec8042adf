// The arithmetic of the canary: whether a gateway's account adds up, and what became of the
// canary's samples. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forwarder/canary/gateway_pages.h"

namespace ampari {

// "accepted 9 = delivered 7 + pending 0 + …", with ≠ where it does not hold.
std::string Equation(const DestinationAccount& account);
// accepted = delivered + pending + rejected + expired + dropped + lost + uncertain.
bool AddsUp(const DestinationAccount& account);

enum class Fate : uint8_t {
  kDelivered,     // nothing but deliveries (and what waits) was counted in between
  kAmongOthers,   // enough was delivered, and other samples met another fate in the same time
  kNotDelivered,  // fewer samples were delivered than the canary sent
  kNotAccepted,   // fewer were accepted
  kWrongCount,    // the account does not add up, or a counter went back
};

struct Judgement {
  Fate fate = Fate::kDelivered;
  std::string words;  // what changed, or what is wrong
};

// Of one destination, whose account was `before` and `after` the canary's `samples` were settled.
// Other forwarders may have sent meanwhile.
Judgement Judge(const DestinationAccount& before, const DestinationAccount& after,
                uint64_t samples);

// nullptr: there is none. `accounts` outlives what is returned.
const DestinationAccount* FindAccount(std::span<const DestinationAccount> accounts,
                                      std::string_view tenant, std::string_view destination);

}  // namespace ampari
