// ampari-test-crowd: many forwarders in one process, without targets: each ships one scrape a
// second, of a few series, as the real shipping stage does. Obeys lines on stdin and answers each
// with one line of JSON on stdout:
//   status  what all together did
//   times   per forwarder, ms since the start at which it was last welcomed
//   stop    no more scrapes; waits until everything is acknowledged
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/runtime/clock.h"
#include "forwarder/shipping/metrics_shipper.h"

namespace ampari {
namespace {

constexpr auto kLook = std::chrono::milliseconds(10);
constexpr absl::Duration kPatience = absl::Minutes(1);  // for the last acknowledgements

struct Member {
  std::string name;
  std::unique_ptr<MetricsShipper> shipper;
  absl::Duration next;  // scrape, monotonic
  bool connected = false, registered = false;
  std::atomic<int64_t> welcomed_ms{0};
};

RegistrationBlock Registration(const std::string& name, uint32_t series) {
  RegistrationBlock block;
  block.number = block.first_series = block.first_layout = 1;
  for (uint32_t i = 0; i < series; ++i) {
    block.series.push_back(
        Labels{{"__name__", "crowd"}, {"instance", name}, {"series", std::to_string(i)}});
  }
  block.layouts = {{0, series, {{false, 1, series}}}};
  return block;
}

class Crowd {
 public:
  Crowd(const std::string& gateway, int count, uint32_t series)
      : clock_(SystemClock()), begin_(clock_.Monotonic()), series_(series) {
    for (int i = 0; i < count; ++i) {
      auto member = std::make_unique<Member>();
      member->name = absl::StrCat("crowd-", i);
      ShippingOptions options;
      options.address = gateway;
      options.forwarder_name = member->name;
      options.insecure = true;
      options.ring_bytes = size_t{1} << 20;
      member->shipper = std::make_unique<MetricsShipper>(options, clock_);
      member->next = begin_ + absl::Seconds(1) * i / count;
      members_.push_back(std::move(member));
    }
    for (auto& member : members_) member->shipper->Start();
    thread_ = std::thread([this] { Run(); });
  }

  ~Crowd() { StopScraping(); }

  std::string Status() const {
    uint64_t connected = 0, acknowledged = 0, connects = 0, expired = 0, resent = 0;
    for (const auto& member : members_) {
      const ShippingStatus status = member->shipper->status();
      connected += status.connected ? 1 : 0;
      acknowledged += status.acknowledged_sequence == status.last_sequence ? 1 : 0;
      connects += status.connects_total;
      expired += status.expired_samples_total;
      resent += status.resent_frames_total;
    }
    return absl::StrCat("{\"connected\":", connected, ",\"acknowledged\":", acknowledged,
                        ",\"connects\":", connects, ",\"expired\":", expired,
                        ",\"resent\":", resent, ",\"pushed\":", pushed_.load(), "}");
  }

  std::string Times() const {
    std::vector<int64_t> times;
    for (const auto& member : members_) times.push_back(member->welcomed_ms);
    return absl::StrCat("[", absl::StrJoin(times, ","), "]");
  }

  // All at once, as nodes do not wait for each other.
  std::string Drain() {
    StopScraping();
    std::atomic<int> drained{0};
    std::vector<std::thread> threads;
    for (auto& member : members_) {
      threads.emplace_back([&] { drained += member->shipper->Stop(kPatience).ok() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    return absl::StrCat("{\"drained\":", drained.load(), ",\"pushed\":", pushed_.load(), "}");
  }

 private:
  void Run() {
    while (!stop_) {
      for (auto& member : members_) Look(*member);
      std::this_thread::sleep_for(kLook);
    }
  }

  void Look(Member& member) {
    const absl::Duration now = clock_.Monotonic();
    const bool connected = member.shipper->status().connected;
    if (connected && !member.connected) {
      member.welcomed_ms = absl::ToInt64Milliseconds(now - begin_);
    }
    member.connected = connected;
    if (now < member.next) return;
    member.next += absl::Seconds(1);
    Shipment shipment;
    if (!std::exchange(member.registered, true)) {
      shipment.registrations.push_back(Registration(member.name, series_));
    }
    shipment.scrape.timestamp_ms = absl::ToUnixMillis(clock_.Now());
    shipment.scrape.body_layout = 1;
    shipment.scrape.body_values.assign(series_, 0x4000000000000000);
    shipment.samples = series_;
    pushed_ += series_;
    member.shipper->Push(std::move(shipment));
  }

  void StopScraping() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  const Clock& clock_;
  const absl::Duration begin_;
  const uint32_t series_;
  std::vector<std::unique_ptr<Member>> members_;
  std::atomic<uint64_t> pushed_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace
}  // namespace ampari

int main(int argc, char** argv) {
  std::string gateway;
  int forwarders = 200;
  uint32_t series = 50;
  CLI::App app("Many forwarders without targets");
  app.add_option("--gateway", gateway, "host:port of the gateway")->required();
  app.add_option("--forwarders", forwarders, "how many")->capture_default_str();
  app.add_option("--series", series, "of each")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  ampari::Crowd crowd(gateway, forwarders, series);
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "status") std::cout << crowd.Status() << std::endl;
    if (line == "times") std::cout << crowd.Times() << std::endl;
    if (line == "stop") std::cout << crowd.Drain() << std::endl;
  }
  return 0;
}
