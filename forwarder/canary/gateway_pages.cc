#include "forwarder/canary/gateway_pages.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr char kMetrics[] = "metrics";

// The member, or a null value.
const Value& Member(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? Value::default_instance() : found->second;
}

const std::string& Text(const Struct& object, const std::string& name) {
  return Member(object, name).string_value();
}

// Counts above 2^53 lose their last digits: more samples than a gateway sees in centuries.
uint64_t Count(const Value& value) {
  const double number = value.number_value();
  return number >= 0 && number < 18e18 ? static_cast<uint64_t>(number) : 0;
}

// A number, or the sum of an object of numbers by reason.
uint64_t Total(const Struct& object, const std::string& name) {
  const Value& value = Member(object, name);
  if (!value.has_struct_value()) return Count(value);
  uint64_t total = 0;
  for (const auto& [reason, count] : value.struct_value().fields()) total += Count(count);
  return total;
}

absl::StatusOr<ListValue> ListOf(std::string_view json, const std::string& name) {
  Struct page;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &page);
  if (!parsed.ok() || !Member(page, name).has_list_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the answer is no status page of a gateway: it has no list \"", name, "\""));
  }
  return Member(page, name).list_value();
}

DestinationAccount AccountOf(const Struct& destination) {
  const Struct& ledger = Member(destination, "ledger").struct_value();
  DestinationAccount account;
  account.tenant = Text(destination, "tenant");
  account.destination = Text(destination, "destination");
  account.removed = Member(destination, "removed").bool_value();
  account.accepted = Total(ledger, "accepted");
  account.delivered = Total(ledger, "delivered");
  account.pending = Total(ledger, "pending");
  account.rejected = Total(ledger, "rejected");
  account.expired = Total(ledger, "expired");
  account.dropped = Total(ledger, "dropped");
  account.lost = Total(ledger, "lost");
  account.uncertain = Total(ledger, "uncertain");
  return account;
}

}  // namespace

absl::StatusOr<std::vector<DestinationAccount>> ParseLedgerPage(std::string_view json) {
  const absl::StatusOr<ListValue> list = ListOf(json, "destinations");
  if (!list.ok()) return list.status();
  std::vector<DestinationAccount> accounts;
  for (const Value& value : list->values()) {
    const Struct& destination = value.struct_value();
    if (Text(destination, "signal") != kMetrics) continue;
    if (!Member(destination, "ledger").has_struct_value()) {
      return absl::InvalidArgumentError("a destination of the page has no ledger");
    }
    accounts.push_back(AccountOf(destination));
  }
  return accounts;
}

absl::StatusOr<InstanceIdentity> FindInstance(std::string_view forwarders_json,
                                              std::string_view instance) {
  const absl::StatusOr<ListValue> list = ListOf(forwarders_json, "instances");
  if (!list.ok()) return list.status();
  for (const Value& value : list->values()) {
    const Struct& found = value.struct_value();
    if (Text(found, "instance") != instance) continue;
    return InstanceIdentity{Text(found, "tenant"), Text(found, "entry")};
  }
  return absl::NotFoundError("the gateway of that page does not know this forwarder");
}

absl::StatusOr<std::vector<DestinationState>> ParseDestinationsPage(std::string_view json) {
  const absl::StatusOr<ListValue> list = ListOf(json, "destinations");
  if (!list.ok()) return list.status();
  std::vector<DestinationState> states;
  for (const Value& value : list->values()) {
    const Struct& destination = value.struct_value();
    if (Text(destination, "signal") != kMetrics) continue;
    states.push_back({Text(destination, "tenant"), Text(destination, "destination"),
                      Text(destination, "state"), Text(destination, "brake"),
                      Text(destination, "last_error"), Member(destination, "held").bool_value()});
  }
  return states;
}

absl::StatusOr<std::optional<std::string>> FindDeadLetter(std::string_view dead_letters_json,
                                                          std::string_view mark) {
  const absl::StatusOr<ListValue> list = ListOf(dead_letters_json, "dead_letters");
  if (!list.ok()) return list.status();
  for (const Value& value : list->values()) {
    const Struct& letter = value.struct_value();
    if (Text(letter, "series").find(mark) == std::string::npos) continue;
    const std::string& words = Text(letter, "response");
    const std::string status = absl::StrCat(Count(Member(letter, "http_status")));
    const bool said = absl::StartsWith(words, status);
    return std::optional<std::string>(said ? words : absl::StrCat(status, ": ", words));
  }
  return std::optional<std::string>();
}

}  // namespace ampari
