#include "forwarder/canary/account.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

struct Share {
  const char* name;
  uint64_t DestinationAccount::*count;
};

constexpr std::array<Share, 7> kShares = {{{"delivered", &DestinationAccount::delivered},
                                           {"pending", &DestinationAccount::pending},
                                           {"rejected", &DestinationAccount::rejected},
                                           {"expired", &DestinationAccount::expired},
                                           {"dropped", &DestinationAccount::dropped},
                                           {"lost", &DestinationAccount::lost},
                                           {"uncertain", &DestinationAccount::uncertain}}};

bool IsPending(const Share& share) { return share.count == &DestinationAccount::pending; }

// The first counter that fell, or nullptr. What is pending may fall.
const char* WentBack(const DestinationAccount& before, const DestinationAccount& after) {
  if (after.accepted < before.accepted) return "accepted";
  for (const Share& share : kShares) {
    if (!IsPending(share) && after.*share.count < before.*share.count) return share.name;
  }
  return nullptr;
}

// "accepted +4, delivered +2, dropped +2"; no counter went back.
std::string Growth(const DestinationAccount& before, const DestinationAccount& after) {
  std::string words = absl::StrCat("accepted +", after.accepted - before.accepted);
  for (const Share& share : kShares) {
    const bool shown = share.count == &DestinationAccount::delivered ||
                       (!IsPending(share) && after.*share.count != before.*share.count);
    if (shown)
      absl::StrAppend(&words, ", ", share.name, " +", after.*share.count - before.*share.count);
  }
  return words;
}

bool OthersGrew(const DestinationAccount& before, const DestinationAccount& after) {
  for (const Share& share : kShares) {
    if (IsPending(share) || share.count == &DestinationAccount::delivered) continue;
    if (after.*share.count != before.*share.count) return true;
  }
  return false;
}

}  // namespace

std::string Equation(const DestinationAccount& account) {
  std::string words = absl::StrCat("accepted ", account.accepted, AddsUp(account) ? " = " : " ≠ ");
  const char* plus = "";
  for (const Share& share : kShares) {
    absl::StrAppend(&words, plus, share.name, " ", account.*share.count);
    plus = " + ";
  }
  return words;
}

bool AddsUp(const DestinationAccount& account) {
  uint64_t sum = 0;
  for (const Share& share : kShares) sum += account.*share.count;
  return sum == account.accepted;
}

Judgement Judge(const DestinationAccount& before, const DestinationAccount& after,
                uint64_t samples) {
  for (const DestinationAccount* account : {&before, &after}) {
    if (!AddsUp(*account)) return {Fate::kWrongCount, Equation(*account)};
  }
  if (const char* name = WentBack(before, after)) {
    return {Fate::kWrongCount, absl::StrCat(name, " went back")};
  }
  const std::string growth = Growth(before, after);
  if (after.accepted - before.accepted < samples) return {Fate::kNotAccepted, growth};
  if (after.delivered - before.delivered < samples) return {Fate::kNotDelivered, growth};
  return {OthersGrew(before, after) ? Fate::kAmongOthers : Fate::kDelivered, growth};
}

const DestinationAccount* FindAccount(std::span<const DestinationAccount> accounts,
                                      std::string_view tenant, std::string_view destination) {
  for (const DestinationAccount& account : accounts) {
    if (account.tenant == tenant && account.destination == destination) return &account;
  }
  return nullptr;
}

}  // namespace ampari
