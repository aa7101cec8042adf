#include "gateway/tenants/entry_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

EntryTokens Entry(const std::string& name, std::vector<std::string> tokens) {
  EntryTokens entry;
  entry.identity.entry = name;
  entry.identity.tenant = "tenant-of-" + name;
  entry.identity.labels = Labels{{"cluster", name}};
  for (const std::string& token : tokens) entry.tokens.push_back(DigestToken(token));
  return entry;
}

EntryTable Table() {
  auto table = EntryTable::Build(
      {Entry("east", {"east-1"}), Entry("west", {"west-old", "west-new"}), Entry("mute", {})});
  EXPECT_THAT(table, IsOk());
  return *std::move(table);
}

TEST(EntryTable, AuthenticatesByTokenAlone) {
  const struct {
    const char* authorization;
    const char* entry;  // "": refused
  } kRows[] = {
      {"Bearer east-1", "east"},
      {"bearer east-1", "east"},
      {"BEARER  east-1 ", "east"},
      {"Bearer west-old", "west"},
      {"Bearer west-new", "west"},
      {"Bearer east-2", ""},
      {"Bearer east-", ""},
      {"Bearer east-11", ""},
      {"Bearer ", ""},
      {"Bearer", ""},
      {"Basic east-1", ""},
      {"east-1", ""},
      {"", ""},
  };
  const EntryTable table = Table();
  for (const auto& row : kRows) {
    const absl::StatusOr<Admission> admission = table.Authenticate({row.authorization, true});
    if (*row.entry == '\0') {
      EXPECT_THAT(admission, StatusIs(absl::StatusCode::kUnauthenticated)) << row.authorization;
      EXPECT_THAT(std::string(admission.status().message()), Not(HasSubstr("east-")))
          << row.authorization;
    } else {
      ASSERT_THAT(admission, IsOk()) << row.authorization;
      EXPECT_EQ(admission->identity.entry, row.entry);
      EXPECT_EQ(admission->identity.tenant, std::string("tenant-of-") + row.entry);
      EXPECT_EQ(admission->identity.labels.Get("cluster"), row.entry);
    }
  }
}

TEST(EntryTable, WithoutEntriesLoopbackIsTheCredential) {
  const EntryTable table = EntryTable::LoopbackOnly({"default", "", Labels()});
  EXPECT_EQ(table.Authenticate({"", true})->identity.entry, "default");
  EXPECT_EQ(table.Authenticate({"Bearer anything", true})->identity.entry, "default");
  EXPECT_THAT(table.Authenticate({"", false}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("loopback")));
}

TEST(EntryTable, AnEmptyTableAdmitsNobody) {
  EXPECT_THAT(EntryTable().Authenticate({"Bearer east-1", true}),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST(EntryTable, OneTokenInTwoEntriesIsAnErrorThatDoesNotTellIt) {
  const auto table =
      EntryTable::Build({Entry("east", {"same-token"}), Entry("west", {"other", "same-token"})});
  EXPECT_THAT(table,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"east\" and \"west\"")));
  EXPECT_THAT(std::string(table.status().message()), Not(HasSubstr("same-token")));
  EXPECT_THAT(EntryTable::Build({Entry("east", {"a"}), Entry("east", {"b"})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("east")));
  EXPECT_THAT(EntryTable::Build({Entry("east", {"a", "a"})}), IsOk());
}

TEST(EntryTable, RenewalFollowsTheTable) {
  const Admission old_token = *Table().Authenticate({"Bearer west-old", false});
  EXPECT_THAT(Table().Renew(old_token), IsOk());
  EXPECT_THAT(EntryTable::Build({Entry("west", {"west-new"})})->Renew(old_token),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("replaced")));
  EXPECT_THAT(EntryTable::Build({Entry("east", {"west-old"})})->Renew(old_token),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("removed")));
}

TEST(ParseTokens, OnePerLineAtMostTwo) {
  const struct {
    std::string text;
    int tokens;  // -1: refused
  } kRows[] = {
      {"one", 1},
      {"one\n", 1},
      {"one\r\ntwo\r\n", 2},
      {"\n\n one \n\n", 1},
      {"one\ntwo", 2},
      {"one\ntwo\n\n", 2},
      {"", 0},
      {"\n", 0},
      {"a\nb\nc", -1},
      {"two words", -1},
      {"caf\xc3\xa9", -1},
      {std::string("a\0b", 3), -1},
      {std::string(4096, 'x'), 1},
      {std::string(4097, 'x'), -1},
  };
  for (const auto& row : kRows) {
    const auto tokens = ParseTokens(row.text);
    if (row.tokens < 0) {
      EXPECT_THAT(tokens, StatusIs(absl::StatusCode::kInvalidArgument)) << row.text;
    } else {
      ASSERT_THAT(tokens, IsOk()) << row.text;
      EXPECT_EQ(tokens->size(), static_cast<size_t>(row.tokens)) << row.text;
    }
  }
}

}  // namespace
}  // namespace ampari
