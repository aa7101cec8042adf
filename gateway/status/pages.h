// Pages: the JSON documents of /api/v1. Pure functions of a snapshot; README.md of the gateway has
// an example of each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/status/snapshot.h"

namespace ampari {

inline constexpr size_t kMaxDeadLetters = 1000;  // of one answer

// /api/v1/status/ledger: {"destinations":[{tenant, signal, destination, removed, "ledger":{…}}]}.
std::string LedgerPage(const GatewaySnapshot& snapshot);
// /api/v1/queue: the store, and per destination what waits.
std::string QueuePage(const GatewaySnapshot& snapshot);
// /api/v1/queue/verify.
std::string VerifyPage(const std::vector<VerifyProblem>& problems);
// /api/v1/forwarders: entries, open streams, instances.
std::string ForwardersPage(const GatewaySnapshot& snapshot);
// /api/v1/destinations: what delivery does.
std::string DestinationsPage(const GatewaySnapshot& snapshot);
// /api/v1/dead_letters, newest first.
std::string DeadLettersPage(std::string_view tenant, const std::vector<DeadLetter>& letters);
// {"error": …}.
std::string ErrorPage(std::string_view words);

}  // namespace ampari
