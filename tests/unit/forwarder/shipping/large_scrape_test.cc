// The largest body of the design, from text to what a gateway decodes: 90 MB, 100,000 series.
#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/frame/frame.h"
#include "forwarder/scrape/target_state.h"
#include "forwarder/shipping/metrics_shipper.h"
#include "tests/unit/forwarder/shipping/fake_gateway.h"

namespace ampari {
namespace {

constexpr int kSeries = 100'000;
constexpr int kLabels = 31;
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kGatewayBytes = size_t{16} << 20;  // of one message

// Some values are shared by all series, some by few, two are the series' own.
std::string SeriesText(int n) {
  std::string text = "istio_requests_total{";
  for (int l = 0; l < kLabels; ++l) {
    const int shared = l < 20 ? 0 : n / 50;
    absl::StrAppend(&text, l == 0 ? "" : ",", "label_", l, "=\"value-", l, "-",
                    l < 29 ? shared : n * 7919 + l, "-pad-pad\"");
  }
  return text + "}";
}

std::string Body() {
  std::string body;
  for (int n = 0; n < kSeries; ++n) absl::StrAppend(&body, SeriesText(n), " ", n, "\n");
  return body;
}

class RegisteredLayouts final : public LayoutSizes {
 public:
  void Add(RegistrationBlock block) {
    for (size_t i = 0; i < block.series.size(); ++i) {
      series_[block.first_series + i] = std::move(block.series[i]);
    }
    for (size_t i = 0; i < block.layouts.size(); ++i) {
      layouts_[block.first_layout + i] = std::move(block.layouts[i]);
    }
  }
  bool Size(uint64_t layout, uint32_t* size) const override {
    const auto found = layouts_.find(layout);
    if (found == layouts_.end()) return false;
    *size = found->second.size;
    return true;
  }
  std::vector<Labels> SeriesOf(uint64_t layout) const {
    std::vector<Labels> all;
    for (const LayoutRun& run : layouts_.at(layout).runs) {
      for (uint64_t n = run.first; n < run.first + run.count; ++n) all.push_back(series_.at(n));
    }
    return all;
  }

 private:
  std::map<uint64_t, Labels> series_;
  std::map<uint64_t, Layout> layouts_;
};

Shipment ScrapeOnce(TargetState& state, const std::string& body) {
  state.Begin({1'700'000'000'000, ScrapeProtocol::kText004});
  for (size_t at = 0; at < body.size(); at += kPieceBytes) {
    EXPECT_TRUE(state.Feed(std::string_view(body).substr(at, kPieceBytes)).ok());
  }
  ScrapeSummary summary;
  Shipment shipment = state.Finish({}, &summary);
  EXPECT_EQ(summary.error, "");
  return shipment;
}

TEST(LargeScrape, EverySeriesAndSampleArrives) {
  const std::string body = Body();
  EXPECT_GT(body.size(), size_t{90} << 20);
  FakeGatewayOptions kept;
  kept.keep_bytes = true;
  FakeGateway gateway(kept);
  ShippingOptions options;
  options.address = gateway.address();
  options.forwarder_name = "node-1";
  options.insecure = true;
  MetricsShipper shipper(options, SystemClock());
  shipper.Start();
  NumberSource numbers;
  Target target;
  target.job = std::make_shared<ScrapeJob>();
  target.labels = Labels{{"instance", "i"}, {"job", "j"}};
  TargetState state(target, shipper.max_scrape_bytes(), numbers);
  shipper.Push(ScrapeOnce(state, body));
  ASSERT_TRUE(shipper.Stop(absl::Seconds(60)).ok());

  EXPECT_EQ(gateway.complaint(), "");
  const auto instances = gateway.instances();
  ASSERT_EQ(instances.size(), 1u);
  const FakeInstance& instance = instances.begin()->second;
  EXPECT_GT(instance.registrations.size(), 20u);
  RegisteredLayouts registered;
  for (const std::string& bytes : instance.registrations) {
    EXPECT_LE(bytes.size(), kGatewayBytes);
    auto block = DecodeRegistration(bytes);
    ASSERT_TRUE(block.ok()) << block.status();
    registered.Add(*std::move(block));
  }
  ASSERT_EQ(instance.frames.size(), 1u);
  FrameDecoder decoder;
  const auto scrapes = decoder.Decode(instance.frames[0], registered, kGatewayBytes);
  ASSERT_TRUE(scrapes.ok()) << scrapes.status();
  ASSERT_EQ(scrapes->size(), 1u);
  const Scrape& scrape = scrapes->front();
  const std::vector<Labels> series = registered.SeriesOf(scrape.body_layout);
  ASSERT_EQ(series.size(), size_t{kSeries});
  for (int n = 0; n < kSeries; ++n) {
    ASSERT_EQ(std::bit_cast<double>(scrape.body_values[n]), n);
    ASSERT_EQ(series[n].size(), kLabels + 3u);
    ASSERT_EQ(series[n].Get("label_30"), absl::StrCat("value-30-", n * 7919 + 30, "-pad-pad"));
    ASSERT_EQ(series[n].Get("label_21"), absl::StrCat("value-21-", n / 50, "-pad-pad"));
  }
}

}  // namespace
}  // namespace ampari
