#include "gateway/delivery/delivery_meter.h"

#include <utility>

namespace ampari {
namespace {

constexpr size_t kMaxOverLimitSeries = 100;

}  // namespace

std::string ShownUrl(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = shown.find("://");
  const size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t path = shown.find('/', host);
  const size_t user = shown.substr(0, path).rfind('@');
  if (user != std::string::npos && user >= host) shown.erase(host, user + 1 - host);
  return shown;
}

DeliveryMeter::DeliveryMeter(DestinationId id) {
  MutexLock lock(mu_);
  status_.id = std::move(id);
  status_.state = "idle";
}

void DeliveryMeter::SetUrl(const std::string& url) {
  MutexLock lock(mu_);
  status_.url = ShownUrl(url);
}

void DeliveryMeter::OnRequest(uint64_t samples, uint64_t bytes, bool is_retry) {
  MutexLock lock(mu_);
  ++status_.requests_total;
  status_.retries_total += is_retry ? 1 : 0;
  status_.request_bytes_total += bytes;
  status_.samples_sent_total += samples;
}

void DeliveryMeter::OnAnswer(int http_status, uint64_t delivered, absl::Duration now) {
  MutexLock lock(mu_);
  ++status_.responses_total[http_status];
  window_.AddSamples(delivered, now);
}

void DeliveryMeter::OnFailure(const std::string& words, int64_t now_ms) {
  MutexLock lock(mu_);
  status_.last_error = words;
  if (status_.failing_since_ms == 0) status_.failing_since_ms = now_ms;
}

void DeliveryMeter::OnSuccess() {
  MutexLock lock(mu_);
  status_.failing_since_ms = 0;
}

void DeliveryMeter::AddNotes(const BuildNotes& notes) {
  MutexLock lock(mu_);
  status_.lines_cut_total += notes.cut;
  for (const auto& [words, count] : notes.over_limit) {
    auto& known = status_.over_limit_series;
    if (known.size() < kMaxOverLimitSeries || known.contains(words)) known[words] += count;
  }
}

void DeliveryMeter::Observe(const Moment& moment, absl::Duration now) {
  MutexLock lock(mu_);
  if (!moment.held) status_.held_since_ms = 0;
  if (moment.held && !status_.held) status_.held_since_ms = moment.now_ms;
  status_.held = moment.held;
  status_.state = moment.state;
  status_.in_flight = moment.in_flight;
  status_.accepted_rate = moment.accepted_rate;
  if (observed_ > absl::ZeroDuration()) window_.AddTime(moment.brake, now - observed_, now);
  observed_ = now;
}

DeliveryStatus DeliveryMeter::status(absl::Duration now) const {
  MutexLock lock(mu_);
  DeliveryStatus status = status_;
  status.delivered_rate = window_.SamplesPerSecond(now);
  status.brake = window_.Brake(now);
  return status;
}

}  // namespace ampari
