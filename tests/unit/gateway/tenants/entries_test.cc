#include "gateway/tenants/entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

ForwarderEntry Entry(const std::string& name, Secret token, const std::string& tenant = "t") {
  ForwarderEntry entry;
  entry.name = name;
  entry.token = std::move(token);
  entry.labels = Labels{{"cluster", name}};
  entry.tenant = tenant;
  return entry;
}

GatewayConfig Config(std::vector<ForwarderEntry> entries) {
  GatewayConfig config;
  config.forwarders = std::move(entries);
  TenantConfig tenant;
  tenant.id = "t";
  tenant.remote_write.emplace_back();
  config.tenants = {tenant};
  return config;
}

std::string EntryOf(const Entries& entries, const std::string& token) {
  const auto admission = entries.Authenticate({"Bearer " + token, false});
  return admission.ok() ? admission->identity.entry : "";
}

class EntriesTest : public testing::Test {
 protected:
  // As a secret's volume is changed: a new file takes the name.
  std::string Put(const std::string& text) {
    const std::string made = dir_.Write("made", text);
    EXPECT_EQ(std::rename(made.c_str(), dir_.File("token").c_str()), 0);
    return dir_.File("token");
  }
  TempDir dir_;
  Entries entries_;
};

TEST_F(EntriesTest, BeforeAConfigurationNobodyIsAdmitted) {
  EXPECT_THAT(entries_.Authenticate({"", true}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(EntriesTest, ATokenFileIsReadAgainAndHoldsOldAndNew) {
  ASSERT_THAT(entries_.Replace(Config({Entry("a", {"", Put("old\n")})})), IsOk());
  EXPECT_EQ(EntryOf(entries_, "old"), "a");
  Put("old\nnew\n");
  EXPECT_EQ(EntryOf(entries_, "new"), "") << "files are read by Refresh alone";
  ASSERT_THAT(entries_.Refresh(), IsOk());
  EXPECT_EQ(EntryOf(entries_, "old"), "a");
  EXPECT_EQ(EntryOf(entries_, "new"), "a");
  Put("new\n");
  ASSERT_THAT(entries_.Refresh(), IsOk());
  EXPECT_EQ(EntryOf(entries_, "old"), "");
}

TEST_F(EntriesTest, ABadTokenFileKeepsTheLastTokensAndIsNamedWithoutItsText) {
  ASSERT_THAT(entries_.Replace(Config({Entry("a", {"", Put("good")})})), IsOk());
  for (const char* text : {"canary one\n", "canary\nx\ny\n", "\n"}) {
    Put(text);
    const absl::Status status = entries_.Refresh();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\""))) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("canary")));
    EXPECT_EQ(EntryOf(entries_, "good"), "a");
  }
  std::remove(dir_.File("token").c_str());
  EXPECT_FALSE(entries_.Refresh().ok());
  EXPECT_EQ(EntryOf(entries_, "good"), "a");
}

TEST_F(EntriesTest, ReplaceIsAllOrNothing) {
  ASSERT_THAT(entries_.Replace(Config({Entry("a", {"first", ""})})), IsOk());
  EXPECT_FALSE(
      entries_.Replace(Config({Entry("b", {"second", ""}), Entry("c", {"", dir_.File("missing")})}))
          .ok());
  EXPECT_EQ(EntryOf(entries_, "first"), "a");
  EXPECT_EQ(EntryOf(entries_, "second"), "");
  EXPECT_FALSE(Entries::Prepare(Config({Entry("b", {"x", ""}), Entry("c", {"x", ""})})).ok());
  EXPECT_FALSE(entries_.Replace(Config({Entry("b", {"", ""})})).ok()) << "an entry without a token";
  ASSERT_THAT(entries_.Replace(Config({Entry("b", {"second", ""})})), IsOk());
  EXPECT_EQ(EntryOf(entries_, "first"), "");
  EXPECT_EQ(EntryOf(entries_, "second"), "b");
}

TEST_F(EntriesTest, AnIdentityKnowsWhetherItsTenantHasADestination) {
  ASSERT_THAT(
      entries_.Replace(Config({Entry("a", {"first", ""}), Entry("b", {"second", ""}, "u")})),
      IsOk());
  EXPECT_TRUE(entries_.Authenticate({"Bearer first", false})->identity.takes_metrics);
  EXPECT_FALSE(entries_.Authenticate({"Bearer first", false})->identity.takes_logs);
  EXPECT_FALSE(entries_.Authenticate({"Bearer second", false})->identity.takes_metrics);
}

TEST_F(EntriesTest, WithoutForwardersLoopbackIsDefault) {
  ASSERT_THAT(entries_.Replace(Config({})), IsOk());
  EXPECT_EQ(entries_.Authenticate({"", true})->identity.entry, "default");
  EXPECT_EQ(entries_.Authenticate({"", true})->identity.tenant, "t");
  EXPECT_FALSE(entries_.Authenticate({"", false}).ok());
}

}  // namespace
}  // namespace ampari
