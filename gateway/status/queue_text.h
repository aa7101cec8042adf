// The queue commands' answers in words, for people at a terminal. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/status/snapshot.h"

namespace ampari {

// Nothing waits at any destination, and nothing is set aside: no frame is needed any more.
bool IsEmpty(const StoreStatus& store);
// `queue status`: whether it is empty, the storage, and for each destination the whole account,
// what waits, and what slows it.
std::string QueueText(const GatewaySnapshot& snapshot);
// `queue list`: one tenant's dead letters, newest first, after its name; empty when it has none.
std::string DeadLettersText(std::string_view tenant, const std::vector<DeadLetter>& letters);
inline constexpr char kNoDeadLetters[] = "no dead letters\n";
// Every tenant that has a queue, once.
std::vector<std::string> TenantsOf(const GatewaySnapshot& snapshot);
// `queue verify`: "ok" or a line for each problem.
std::string VerifyText(const std::vector<VerifyProblem>& problems);

}  // namespace ampari
