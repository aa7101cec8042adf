#include "forwarder/canary/status_client.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/http/loop.h"

namespace ampari {
namespace {

std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace

absl::StatusOr<std::string> StatusClient::Fetch(const std::string& path) const {
  HttpRequest request;
  request.url = base_ + path;
  request.timeout = request.connect_timeout = kTimeout;
  request.max_response_bytes = kMaxPageBytes;
  HttpResponse response = FetchOnce(std::move(request));
  if (!response.transport.ok()) {
    return absl::UnavailableError(absl::StrCat(base_, path, ": ", response.transport.message()));
  }
  if (response.status != 200) {
    return absl::UnavailableError(absl::StrCat(base_, path, ": HTTP status ", response.status));
  }
  return std::move(response.body);
}

absl::StatusOr<std::vector<DestinationAccount>> StatusClient::Accounts() const {
  const absl::StatusOr<std::string> page = Fetch("/api/v1/status/ledger");
  if (!page.ok()) return page.status();
  return ParseLedgerPage(*page);
}

absl::StatusOr<InstanceIdentity> StatusClient::Identity(std::string_view instance) const {
  const absl::StatusOr<std::string> page = Fetch("/api/v1/forwarders");
  if (!page.ok()) return page.status();
  return FindInstance(*page, instance);
}

absl::StatusOr<std::vector<DestinationState>> StatusClient::Destinations() const {
  const absl::StatusOr<std::string> page = Fetch("/api/v1/destinations");
  if (!page.ok()) return page.status();
  return ParseDestinationsPage(*page);
}

absl::StatusOr<std::optional<std::string>> StatusClient::Refusal(std::string_view tenant,
                                                                 std::string_view mark) const {
  const absl::StatusOr<std::string> page =
      Fetch(absl::StrCat("/api/v1/dead_letters?limit=1000&tenant=", PercentEncoded(tenant)));
  if (!page.ok()) return page.status();
  return FindDeadLetter(*page, mark);
}

}  // namespace ampari
