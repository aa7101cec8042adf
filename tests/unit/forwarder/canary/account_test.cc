#include "forwarder/canary/account.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ampari {
namespace {

struct Counts {
  uint64_t accepted, delivered, pending, rejected, expired, dropped, lost, uncertain;
};

DestinationAccount Account(const Counts& c) {
  return {"t",        "region",  false,     c.accepted, c.delivered, c.pending,
          c.rejected, c.expired, c.dropped, c.lost,     c.uncertain};
}

TEST(CanaryAccount, AddsUp) {
  struct Row {
    Counts counts;
    bool adds_up;
  };
  const uint64_t big = uint64_t{1} << 62;
  for (const Row& row : std::vector<Row>{
           {{0, 0, 0, 0, 0, 0, 0, 0}, true},
           {{9, 9, 0, 0, 0, 0, 0, 0}, true},
           {{28, 1, 2, 3, 4, 5, 6, 7}, true},
           {{1, 0, 1, 0, 0, 0, 0, 0}, true},
           {{1, 0, 0, 0, 0, 0, 0, 1}, true},
           {{big + 1, big, 1, 0, 0, 0, 0, 0}, true},
           {{9, 8, 0, 0, 0, 0, 0, 0}, false},  // one vanished
           {{9, 9, 1, 0, 0, 0, 0, 0}, false},  // one doubled
           {{0, 0, 0, 0, 0, 0, 1, 0}, false},
           {{28, 1, 2, 3, 4, 5, 6, 8}, false},
       }) {
    EXPECT_EQ(AddsUp(Account(row.counts)), row.adds_up) << Equation(Account(row.counts));
  }
}

TEST(CanaryAccount, EquationNamesEveryShare) {
  EXPECT_EQ(Equation(Account({28, 1, 2, 3, 4, 5, 6, 7})),
            "accepted 28 = delivered 1 + pending 2 + rejected 3 + expired 4 + dropped 5 + lost 6 + "
            "uncertain 7");
  EXPECT_EQ(Equation(Account({3, 1, 0, 0, 0, 0, 0, 0})),
            "accepted 3 ≠ delivered 1 + pending 0 + rejected 0 + expired 0 + dropped 0 + lost 0 + "
            "uncertain 0");
}

TEST(CanaryAccount, Judgements) {
  struct Row {
    const char* name;
    Counts before, after;
    Fate fate;
    const char* words;
  };
  for (const Row& row : std::vector<Row>{
           {"alone",
            {0, 0, 0, 0, 0, 0, 0, 0},
            {2, 2, 0, 0, 0, 0, 0, 0},
            Fate::kDelivered,
            "accepted +2, delivered +2"},
           {"others are delivered",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {50, 50, 0, 0, 0, 0, 0, 0},
            Fate::kDelivered,
            "accepted +45, delivered +45"},
           {"others wait",
            {9, 4, 5, 0, 0, 0, 0, 0},
            {12, 11, 1, 0, 0, 0, 0, 0},
            Fate::kDelivered,
            "accepted +3, delivered +7"},
           {"others are dropped",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {20, 10, 0, 0, 0, 10, 0, 0},
            Fate::kAmongOthers,
            "accepted +15, delivered +5, dropped +10"},
           {"rejected",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {7, 5, 0, 2, 0, 0, 0, 0},
            Fate::kNotDelivered,
            "accepted +2, delivered +0, rejected +2"},
           {"the marker alone is rejected",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {7, 6, 0, 1, 0, 0, 0, 0},
            Fate::kNotDelivered,
            "accepted +2, delivered +1, rejected +1"},
           {"dropped",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {7, 5, 0, 0, 0, 2, 0, 0},
            Fate::kNotDelivered,
            "accepted +2, delivered +0, dropped +2"},
           {"uncertain",
            {0, 0, 0, 0, 0, 0, 0, 0},
            {2, 0, 0, 0, 0, 0, 0, 2},
            Fate::kNotDelivered,
            "accepted +2, delivered +0, uncertain +2"},
           {"not accepted",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {5, 5, 0, 0, 0, 0, 0, 0},
            Fate::kNotAccepted,
            "accepted +0, delivered +0"},
           {"one vanished",
            {5, 5, 0, 0, 0, 0, 0, 0},
            {7, 6, 0, 0, 0, 0, 0, 0},
            Fate::kWrongCount,
            "accepted 7 ≠ delivered 6 + pending 0 + rejected 0 + expired 0 + dropped 0 + lost 0 + "
            "uncertain 0"},
           {"wrong from the start",
            {5, 4, 0, 0, 0, 0, 0, 0},
            {7, 7, 0, 0, 0, 0, 0, 0},
            Fate::kWrongCount,
            "accepted 5 ≠ delivered 4 + pending 0 + rejected 0 + expired 0 + dropped 0 + lost 0 + "
            "uncertain 0"},
           {"went back",
            {9, 8, 0, 1, 0, 0, 0, 0},
            {11, 11, 0, 0, 0, 0, 0, 0},
            Fate::kWrongCount,
            "rejected went back"},
           {"began anew",
            {9, 9, 0, 0, 0, 0, 0, 0},
            {2, 2, 0, 0, 0, 0, 0, 0},
            Fate::kWrongCount,
            "accepted went back"},
       }) {
    const Judgement judgement = Judge(Account(row.before), Account(row.after), 2);
    EXPECT_EQ(static_cast<int>(judgement.fate), static_cast<int>(row.fate)) << row.name;
    EXPECT_EQ(judgement.words, row.words) << row.name;
  }
}

TEST(CanaryAccount, FindsADestinationByTenantAndName) {
  std::vector<DestinationAccount> accounts(3);
  accounts[0].tenant = "a";
  accounts[0].destination = "x";
  accounts[1].tenant = "b";
  accounts[1].destination = "x";
  accounts[2].tenant = "b";
  accounts[2].destination = "y";
  EXPECT_EQ(FindAccount(accounts, "b", "x"), &accounts[1]);
  EXPECT_EQ(FindAccount(accounts, "b", "y"), &accounts[2]);
  EXPECT_EQ(FindAccount(accounts, "a", "y"), nullptr);
}

}  // namespace
}  // namespace ampari
