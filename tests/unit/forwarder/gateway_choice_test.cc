#include "forwarder/gateway_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace ampari {
namespace {

std::vector<std::string> Gateways(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back("ampari-gateway-" + std::to_string(i) + ".ampari:4750");
  }
  return all;
}

std::string Node(int i) { return "node-" + std::to_string(i); }

TEST(GatewayChoice, OnlyOneAndNone) {
  EXPECT_EQ(ChooseGateway(Gateways(1), "node"), Gateways(1)[0]);
  EXPECT_EQ(ChooseGateway({}, "node"), "");
}

TEST(GatewayChoice, OrderOfTheListDoesNotMatter) {
  std::vector<std::string> gateways = Gateways(5);
  const std::string chosen = ChooseGateway(gateways, "node-7");
  do {
    ASSERT_EQ(ChooseGateway(gateways, "node-7"), chosen);
  } while (std::next_permutation(gateways.begin(), gateways.end()));
}

TEST(GatewayChoice, ForwardersSpreadEvenly) {
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[ChooseGateway(Gateways(4), Node(i))];
  ASSERT_EQ(counts.size(), 4);
  for (const auto& [gateway, count] : counts) EXPECT_NEAR(count, 1000, 150) << gateway;
}

TEST(GatewayChoice, ANewGatewayOnlyTakesOver) {
  for (int i = 0; i < 1000; ++i) {
    const std::string before = ChooseGateway(Gateways(4), Node(i));
    const std::string after = ChooseGateway(Gateways(5), Node(i));
    EXPECT_TRUE(after == before || after == Gateways(5)[4]);
  }
}

}  // namespace
}  // namespace ampari
