// What the canary reads of a gateway's status pages (/api/v1/…), as plain values. Pure; fields that
// it does not need may come and go. InvalidArgument: the text is not such a page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari {

// The account of metrics of one destination, in samples.
struct DestinationAccount {
  std::string tenant, destination;
  bool removed = false;
  uint64_t accepted = 0;
  uint64_t delivered = 0, pending = 0, rejected = 0, expired = 0, dropped = 0, lost = 0,
           uncertain = 0;
};

// Who the gateway takes an instance for.
struct InstanceIdentity {
  std::string tenant, entry;
};

struct DestinationState {
  std::string tenant, destination;
  std::string state, brake, last_error;
  bool held = false;
};

absl::StatusOr<std::vector<DestinationAccount>> ParseLedgerPage(std::string_view json);
// NotFound: the gateway does not remember the instance (hexadecimal).
absl::StatusOr<InstanceIdentity> FindInstance(std::string_view forwarders_json,
                                              std::string_view instance);
absl::StatusOr<std::vector<DestinationState>> ParseDestinationsPage(std::string_view json);
// The region's words about the newest dead letter whose series has `mark` in its text, with the
// HTTP status before them; nullopt: none has.
absl::StatusOr<std::optional<std::string>> FindDeadLetter(std::string_view dead_letters_json,
                                                          std::string_view mark);

}  // namespace ampari
