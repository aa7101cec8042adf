#include "tests/integration/delivery_region.h"

#include <snappy.h>

#include <bit>
#include <set>

#include "common/labels/labels.h"
#include "prometheus/remote.pb.h"

namespace ampari {
namespace {

// Text of a label set; a complaint when it is not sorted and unique with names and values.
std::string SeriesText(const prometheus::TimeSeries& series, std::string* complaint) {
  std::string text, last;
  for (const prometheus::Label& label : series.labels()) {
    if (label.name().empty() || label.value().empty()) *complaint = "an empty label";
    if (!last.empty() && label.name() <= last) *complaint = "labels out of order";
    last = label.name();
    text += label.name() + "=" + label.value() + ",";
  }
  return text;
}

bool Parse(const std::string& body, RegionRequest* out, std::string* complaint) {
  std::string plain;
  prometheus::WriteRequest message;
  if (!snappy::Uncompress(body.data(), body.size(), &plain) || !message.ParseFromString(plain))
    return false;
  std::set<std::string> seen;
  for (const prometheus::TimeSeries& series : message.timeseries()) {
    std::vector<std::pair<int64_t, uint64_t>> samples;
    for (const prometheus::Sample& sample : series.samples()) {
      if (!samples.empty() && sample.timestamp() <= samples.back().first)
        *complaint = "samples out of order";
      samples.emplace_back(sample.timestamp(), std::bit_cast<uint64_t>(sample.value()));
    }
    if (samples.empty()) *complaint = "a series without samples";
    std::string text = SeriesText(series, complaint);
    if (!seen.insert(text).second) *complaint = "a series twice in a request: " + text;
    out->series.emplace_back(std::move(text), std::move(samples));
  }
  for (const prometheus::MetricMetadata& m : message.metadata())
    out->metadata[m.metric_family_name()] = m.help();
  return true;
}

}  // namespace

FakeRegion::FakeRegion(Kind kind)
    : kind_(kind), server_(StartReceiver([this](const ServerRequest& r) { return Handle(r); })) {}

std::string FakeRegion::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port()) + "/api/v1/push";
}

void FakeRegion::SetPoison(std::string text) {
  MutexLock lock(mu_);
  poison_ = std::move(text);
}

bool FakeRegion::Judge(const RegionRequest& request) {
  MutexLock lock(mu_);
  std::vector<size_t> bad;
  for (size_t i = 0; i < request.series.size(); ++i) {
    const auto& [text, samples] = request.series[i];
    const auto found = stored_.find(text);
    bool good = poison_.empty() || text.find(poison_) == std::string::npos;
    for (const auto& sample : samples) {
      if (found == stored_.end() || sample.first > found->second.back().first) continue;
      good = good && sample == found->second.back();
    }
    if (!good) bad.push_back(i);
  }
  if (!bad.empty() && kind_ == Kind::kPrometheus) return false;
  for (size_t i = 0; i < request.series.size(); ++i) {
    if (!bad.empty() && bad.front() == i) {
      bad.erase(bad.begin());
      if (bad.empty()) bad.push_back(request.series.size());
      continue;
    }
    auto& [text, samples] = request.series[i];
    auto& kept = stored_[text];
    for (const auto& sample : samples) {
      if (!kept.empty() && kept.back() == sample) {
        ++identical_;
      } else {
        kept.push_back(sample);
      }
    }
  }
  return bad.empty();
}

ServerResponse FakeRegion::Handle(const ServerRequest& request) {
  RegionRequest parsed;
  parsed.body = request.body;
  for (const auto& [name, value] : request.headers) parsed.headers[name] = value;
  std::string complaint;
  if (!Parse(request.body, &parsed, &complaint)) complaint = "not a write request";
  std::vector<std::string> texts;
  for (const auto& [text, samples] : parsed.series) texts.push_back(text);
  return book_.Answer(parsed, texts, complaint,
                      [this](const RegionRequest& write) { return Judge(write); });
}

std::map<std::string, std::vector<std::pair<int64_t, uint64_t>>> FakeRegion::stored() const {
  MutexLock lock(mu_);
  return stored_;
}
uint64_t FakeRegion::identical_resends() const {
  MutexLock lock(mu_);
  return identical_;
}

}  // namespace ampari
