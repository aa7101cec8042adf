// StatusClient: fetches the status pages that the canary needs from one gateway.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forwarder/canary/gateway_pages.h"

namespace ampari {

// Blocking, for one thread. Every error names the page's address.
class StatusClient {
 public:
  // `base`: URL without a slash at its end.
  explicit StatusClient(std::string base) : base_(std::move(base)) {}

  absl::StatusOr<std::vector<DestinationAccount>> Accounts() const;
  absl::StatusOr<InstanceIdentity> Identity(std::string_view instance) const;
  absl::StatusOr<std::vector<DestinationState>> Destinations() const;
  absl::StatusOr<std::optional<std::string>> Refusal(std::string_view tenant,
                                                     std::string_view mark) const;

  static constexpr absl::Duration kTimeout = absl::Seconds(10);  // of one page
  static constexpr size_t kMaxPageBytes = size_t{64} << 20;

 private:
  absl::StatusOr<std::string> Fetch(const std::string& path) const;

  const std::string base_;
};

}  // namespace ampari
