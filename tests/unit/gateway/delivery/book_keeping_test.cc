// The small ledgers of delivery: metadata rounds, rates and brakes, what is shown of a URL, the
// headers of a request.
#include <gtest/gtest.h>

#include <string>

#include "gateway/delivery/delivery_meter.h"
#include "gateway/delivery/metadata_book.h"
#include "gateway/delivery/rate_window.h"
#include "gateway/delivery/write_message.h"

namespace ampari {
namespace {

FamilyMetadata Family(std::string name, std::string help) {
  return {std::move(name), MetricType::kGauge, std::move(help), ""};
}

TEST(MetadataBook, SendsAllFamiliesOncePerRound) {
  MetadataConfig config;
  config.max_samples_per_send = 2;
  MetadataBook book;
  EXPECT_TRUE(book.Next(config, absl::ZeroDuration()).empty());
  book.Add({Family("a", "1"), Family("b", "2"), Family("c", "3"), Family("a", "newer")});
  const absl::Duration start = absl::Seconds(100);
  EXPECT_EQ(book.Next(config, start),
            (std::vector<FamilyMetadata>{Family("a", "newer"), Family("b", "2")}));
  EXPECT_EQ(book.Next(config, start), (std::vector<FamilyMetadata>{Family("c", "3")}));
  EXPECT_TRUE(book.Next(config, start + absl::Seconds(59)).empty());
  EXPECT_EQ(book.Next(config, start + absl::Seconds(60)).size(), 2u);
  config.send = false;
  EXPECT_TRUE(book.Next(config, start + absl::Seconds(600)).empty());
}

TEST(MetadataBook, IsBoundedAndCutsTextBetweenCharacters) {
  MetadataBook book;
  std::vector<FamilyMetadata> many;
  for (size_t i = 0; i < kMaxMetadataFamilies + 5; ++i)
    many.push_back(Family("m" + std::to_string(i), "x"));
  many[0].help = std::string(kMaxMetadataTextBytes - 1, 'x') + "\xc3\xa4";
  book.Add(many);
  MetadataConfig config;
  config.max_samples_per_send = 100'000;
  const auto sent = book.Next(config, absl::ZeroDuration());
  EXPECT_EQ(sent.size(), kMaxMetadataFamilies);
  EXPECT_EQ(sent[0].help, std::string(kMaxMetadataTextBytes - 1, 'x'));
}

TEST(RateWindow, LastMinuteOnly) {
  RateWindow window;
  for (int s = 0; s < 120; ++s) window.AddSamples(s < 60 ? 1000 : 10, absl::Seconds(s));
  EXPECT_DOUBLE_EQ(window.SamplesPerSecond(absl::Seconds(119)), 10);
  EXPECT_EQ(window.Brake(absl::Seconds(119)), "");
}

TEST(RateWindow, NamesTheLongestBrakeWithItsShare) {
  RateWindow window;
  for (int s = 1; s <= 100; ++s) {
    window.AddTime(s % 10 == 0 ? "" : "429", absl::Milliseconds(900), absl::Seconds(s));
    window.AddTime("503", absl::Milliseconds(100), absl::Seconds(s));
  }
  EXPECT_EQ(window.Brake(absl::Seconds(100)), "429 81 %");
}

TEST(ShownUrl, LeavesUserInformationAndQueryOut) {
  EXPECT_EQ(ShownUrl("https://region.example/api/v1/push"), "https://region.example/api/v1/push");
  EXPECT_EQ(ShownUrl("https://user:secret@region.example/api?token=x"),
            "https://region.example/api");
  EXPECT_EQ(ShownUrl("http://a@b:c@host:1"), "http://host:1");
  EXPECT_EQ(ShownUrl("http://host/path@with"), "http://host/path@with");
}

TEST(WriteMessage, ConfiguredTenantHeaderWins) {
  RemoteWriteConfig config;
  config.http.headers = {{"x-scope-orgid", {"other"}, {}}};
  const HttpRequest request = WriteMessage("acme", config).Make(nullptr, 0, 0, nullptr);
  for (const auto& [name, value] : request.headers) EXPECT_NE(name, "X-Scope-OrgID");
  EXPECT_EQ(request.method, "POST");
  EXPECT_FALSE(request.options->follow_redirects);
  const HttpRequest short_form = WriteMessage("", RemoteWriteConfig()).Make(nullptr, 0, 0, nullptr);
  for (const auto& [name, value] : short_form.headers) EXPECT_NE(name, "X-Scope-OrgID");
}

}  // namespace
}  // namespace ampari
