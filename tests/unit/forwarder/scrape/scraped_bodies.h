// ScrapedBodies: feeds bodies to a TargetState and shows what comes out as one line of text per
// sample.
#pragma once

#include <bit>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "forwarder/scrape/target_state.h"
#include "tests/support/scrape_replay.h"

namespace ampari {

inline constexpr int64_t kFirstScrapeMs = 1'700'000'000'000;
inline constexpr int64_t kIntervalMs = 15'000;

class ScrapedBodies {
 public:
  using Job = std::shared_ptr<ScrapeJob>;

  explicit ScrapedBodies(Job job = std::make_shared<ScrapeJob>(),
                         Labels labels = {{"job", "j"}, {"instance", "i"}},
                         size_t max_scrape_bytes = size_t{16} << 20)
      : state_(MakeTarget(std::move(job), labels), max_scrape_bytes, numbers_), labels_(labels) {}

  static Target MakeTarget(Job job, const Labels& labels) {
    Target target;
    target.job = std::move(job);
    target.labels = labels;
    target.timeout = absl::Seconds(10);
    return target;
  }

  // One scrape; the samples by their labels: the value, "stale", and "@ms" behind it for a time
  // that is not the scrape's. Report series are in report().
  std::map<std::string, std::string> Scrape(std::string_view body, ScrapeEnd end = {},
                                            size_t piece = std::string_view::npos) {
    now_ += kIntervalMs;
    state_.Begin({now_, protocol});
    for (size_t at = 0; at < body.size(); at += std::min(piece, body.size())) {
      (void)state_.Feed(body.substr(at, piece));
    }
    return Show(state_.Finish(end, &summary));
  }
  std::map<std::string, std::string> EndOfRun() {
    now_ += kIntervalMs;
    return Show(state_.EndOfRun(now_));
  }
  void Reconfigure(Job job) { state_.Reconfigure(MakeTarget(std::move(job), labels_)); }

  const std::map<std::string, std::string>& report() const { return report_; }
  TargetState& state() { return state_; }
  ScrapeReplay& replay() { return replay_; }
  const Shipment& shipment() const { return shipment_; }
  int64_t now_ms() const { return now_; }

  ScrapeProtocol protocol = ScrapeProtocol::kText004;
  ScrapeSummary summary;

 private:
  std::map<std::string, std::string> Show(Shipment shipment) {
    shipment_ = std::move(shipment);
    std::map<std::string, std::string> out;
    report_.clear();
    const std::vector<ReplayedSample> samples = replay_.Take(shipment_);
    const size_t body = samples.size() - ReportSize();
    for (size_t i = 0; i < samples.size(); ++i) {
      const ReplayedSample& sample = samples[i];
      std::string text =
          sample.bits == kStaleNanBits ? "stale" : absl::StrCat(std::bit_cast<double>(sample.bits));
      if (sample.timestamp_ms != now_) absl::StrAppend(&text, "@", sample.timestamp_ms);
      auto& target = i < body ? out : report_;
      const std::string name =
          i < body ? sample.labels.ToString() : std::string(sample.labels.Get("__name__"));
      const auto [at, fresh] = target.emplace(name, text);
      if (!fresh) absl::StrAppend(&at->second, " ", text);
    }
    return out;
  }
  size_t ReportSize() const {
    if (shipment_.scrape.report_layout == 0) return 0;
    if (!shipment_.scrape.report_stale) report_size_ = shipment_.scrape.report_values.size();
    return report_size_;
  }

  NumberSource numbers_;
  TargetState state_;
  Labels labels_;
  ScrapeReplay replay_;
  Shipment shipment_;
  std::map<std::string, std::string> report_;
  mutable size_t report_size_ = 0;
  int64_t now_ = kFirstScrapeMs;
};

}  // namespace ampari
