#include "forwarder/canary/gateway_pages.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ampari {
namespace {

TEST(CanaryPages, AccountsOfMetrics) {
  const auto accounts = ParseLedgerPage(R"({"destinations": [
    {"tenant": "t", "signal": "metrics", "destination": "region", "removed": false, "ledger":
      {"accepted": 28, "delivered": 1, "pending": 2, "pending_frames": 9, "dropped": 5, "uncertain": 7, "lost": 6,
       "rejected": {"400": 1, "422": 2}, "expired": {"age": 4}, "aside": {"parked": 1}, "drain_seconds": null}},
    {"tenant": "t", "signal": "logs", "destination": "logs", "removed": false, "ledger": {"accepted": 1}},
    {"tenant": "ü", "signal": "metrics", "destination": "old", "removed": true, "ledger": {"rejected": {}}}]})");
  ASSERT_TRUE(accounts.ok()) << accounts.status();
  ASSERT_EQ(accounts->size(), 2u);
  const DestinationAccount& account = accounts->at(0);
  EXPECT_EQ(account.tenant, "t");
  EXPECT_EQ(account.destination, "region");
  EXPECT_FALSE(account.removed);
  EXPECT_EQ(account.accepted, 28u);
  EXPECT_EQ(account.delivered, 1u);
  EXPECT_EQ(account.pending, 2u);
  EXPECT_EQ(account.rejected, 3u);
  EXPECT_EQ(account.expired, 4u);
  EXPECT_EQ(account.dropped, 5u);
  EXPECT_EQ(account.lost, 6u);
  EXPECT_EQ(account.uncertain, 7u);
  EXPECT_EQ(accounts->at(1).tenant, "ü");
  EXPECT_TRUE(accounts->at(1).removed);
}

TEST(CanaryPages, WhatIsNoPage) {
  for (const char* text : {"", "{", "[]", "<html></html>", "{}", R"({"destinations": 3})",
                           R"({"error": "no such page"})", R"({"destinations": [{]})"}) {
    EXPECT_EQ(ParseLedgerPage(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(ParseDestinationsPage(text).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(FindInstance(text, "00").status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(FindDeadLetter(text, "00").status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(ParseLedgerPage(R"({"destinations": [{"signal": "metrics", "tenant": "t"}]})").ok());
  // Members of another kind than expected count as absent.
  const auto accounts = ParseLedgerPage(
      R"({"destinations": [{"signal": "metrics", "tenant": 3, "ledger": {"accepted": "9", "lost": -1, "rejected": [1]}}, 7]})");
  ASSERT_TRUE(accounts.ok());
  EXPECT_EQ(accounts->at(0).accepted + accounts->at(0).lost + accounts->at(0).rejected, 0u);
}

TEST(CanaryPages, TheInstanceGivesTheTenant) {
  const std::string page = R"({"entries": [], "instances": [
    {"tenant": "a", "entry": "one", "forwarder": "f", "instance": "00ff", "epoch": 1},
    {"tenant": "b", "entry": "two", "forwarder": "f", "instance": "01ff", "epoch": 1}]})";
  const auto found = FindInstance(page, "01ff");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->tenant, "b");
  EXPECT_EQ(found->entry, "two");
  EXPECT_EQ(FindInstance(page, "02ff").status().code(), absl::StatusCode::kNotFound);
}

TEST(CanaryPages, TheStateOfDestinations) {
  const auto states = ParseDestinationsPage(R"({"destinations": [
    {"tenant": "a", "signal": "metrics", "destination": "region", "state": "held", "held": true, "brake": "401 100 %",
     "last_error": "401: who are you"},
    {"tenant": "a", "signal": "logs", "destination": "logs", "state": "held", "held": true}]})");
  ASSERT_TRUE(states.ok());
  ASSERT_EQ(states->size(), 1u);
  EXPECT_TRUE(states->at(0).held);
  EXPECT_EQ(states->at(0).brake, "401 100 %");
  EXPECT_EQ(states->at(0).last_error, "401: who are you");
}

TEST(CanaryPages, ADeadLetterByItsMark) {
  const std::string page = R"({"tenant": "a", "dead_letters": [
    {"sequence": 9, "samples": 1, "http_status": 400, "series": "{__name__=\"x\", canary=\"0a\"}", "response": "too long"},
    {"sequence": 8, "samples": 1, "http_status": 422, "series": "{__name__=\"y\"}", "response": "422: 0b"}]})";
  struct Row {
    const char *mark, *words;  // words null: no such letter
  };
  for (const Row& row : std::vector<Row>{
           {"0a", "400: too long"}, {"\"y\"", "422: 0b"}, {"0b", nullptr}, {"0c", nullptr}}) {
    const auto found = FindDeadLetter(page, row.mark);
    ASSERT_TRUE(found.ok()) << row.mark;
    EXPECT_EQ(found->has_value(), row.words != nullptr) << row.mark;
    EXPECT_EQ(found->value_or(""), row.words == nullptr ? "" : row.words);
  }
}

}  // namespace
}  // namespace ampari
