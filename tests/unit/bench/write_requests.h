// Builds remote-write requests for tests of the region.
#pragma once

#include <snappy.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "common/http/loop.h"
#include "prometheus/remote.pb.h"

namespace ampari::bench {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

inline void AddSeries(prometheus::WriteRequest& request, const LabelPairs& labels,
                      const std::vector<std::pair<int64_t, double>>& samples) {
  prometheus::TimeSeries* series = request.add_timeseries();
  for (const auto& [name, value] : labels) {
    prometheus::Label* label = series->add_labels();
    label->set_name(name);
    label->set_value(value);
  }
  for (const auto& [timestamp, value] : samples) {
    prometheus::Sample* sample = series->add_samples();
    sample->set_timestamp(timestamp);
    sample->set_value(value);
  }
}

inline std::string Compress(const std::string& plain) {
  std::string out;
  snappy::Compress(plain.data(), plain.size(), &out);
  return out;
}

// A correct head; `frames` fills X-Ampari-Frames when not empty.
inline HttpRequest PushRequest(const std::string& url, std::string body,
                               const std::string& frames = "") {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Encoding", "snappy"},
                     {"Content-Type", "application/x-protobuf"},
                     {"X-Prometheus-Remote-Write-Version", "0.1.0"},
                     {"X-Scope-OrgID", "tenant-a"}};
  if (!frames.empty()) request.headers.emplace_back("X-Ampari-Frames", frames);
  request.body = std::make_shared<const std::string>(std::move(body));
  return request;
}

}  // namespace ampari::bench
