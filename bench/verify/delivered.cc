#include "bench/verify/delivered.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/region/json_value.h"
#include "bench/verify/go_float.h"
#include "common/http/loop.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

constexpr size_t kMaxAnswerBytes = size_t{1} << 30;

// Collects the compact lines of a region as they arrive.
class CompactReader {
 public:
  explicit CompactReader(Delivered* out) : out_(out) {}

  bool Feed(std::string_view piece) {
    text_ += piece;
    size_t begin = 0;
    for (size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
      if (!Line(std::string_view(text_).substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    text_.erase(0, begin);
    return true;
  }

  void Finish() {
    if (!samples_.empty()) out_->Add(series_, samples_);
    samples_.clear();
  }

 private:
  bool Line(std::string_view line) {
    if (line.starts_with('{')) {
      Finish();
      series_ = std::string(line);
      return true;
    }
    DeliveredSample sample;
    const char* end = line.data() + line.size();
    const auto tab = std::from_chars(line.data(), end, sample.timestamp_ms).ptr;
    if (tab == end || *tab != '\t') return false;
    if (std::from_chars(tab + 1, end, sample.value_bits, 16).ptr != end) return false;
    samples_.push_back(sample);
    return true;
  }

  Delivered* out_;
  std::string text_, series_;
  std::vector<DeliveredSample> samples_;
};

std::string UrlEncode(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<uint8_t>(c);
    if (std::isalnum(u) != 0) {
      out += c;
    } else {
      out += {'%', kHex[u >> 4], kHex[u & 15]};
    }
  }
  return out;
}

void AddPrometheusSeries(const JsonValue& series, Delivered* out) {
  LabelMap labels;
  for (const auto& [name, value] : series["metric"].members) labels[name] = value.text;
  std::vector<DeliveredSample> samples;
  for (const JsonValue& pair : series["values"].items) {
    double value = 0;
    if (pair.items.size() != 2 || !ParseSampleValue(pair.items[1].text, &value)) continue;
    DeliveredSample sample;
    sample.timestamp_ms = std::llround(pair.items[0].number() * 1000);
    std::memcpy(&sample.value_bits, &value, sizeof value);
    samples.push_back(sample);
  }
  out->Add(CanonicalText(labels), samples);
}

absl::Status ReadInstance(const std::string& url, const std::string& query, const std::string& time,
                          Delivered* out) {
  HttpRequest request;
  request.url = absl::StrCat(url, "/api/v1/query?query=", UrlEncode(query), time);
  request.timeout = absl::Minutes(5);
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = FetchOnce(std::move(request));
  if (!response.transport.ok()) return response.transport;
  const absl::StatusOr<JsonValue> answer = ParseJson(response.body);
  if (response.status != 200 || !answer.ok()) {
    return absl::UnavailableError(absl::StrCat("Prometheus answers ", response.status));
  }
  for (const JsonValue& series : (*answer)["data"]["result"].items)
    AddPrometheusSeries(series, out);
  return absl::OkStatus();
}

}  // namespace

void Delivered::Add(const std::string& canonical, const std::vector<DeliveredSample>& samples) {
  LabelMap labels;
  if (!ParseSeries(canonical, &labels).ok()) return;
  for (const auto& [name, value] : only_) {
    const auto found = labels.find(name);
    if (found == labels.end() || found->second != value) return;
  }
  std::vector<DeliveredSample>& all = targets_[labels["instance"]][canonical];
  all.insert(all.end(), samples.begin(), samples.end());
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.timestamp_ms < b.timestamp_ms; });
}

const DeliveredTarget& Delivered::target(const std::string& instance) const {
  static const DeliveredTarget nothing;
  const auto found = targets_.find(instance);
  return found == targets_.end() ? nothing : found->second;
}

absl::Status ReadRegion(const std::string& control_url, const std::string& tenant, Delivered* out) {
  CompactReader reader(out);
  HttpLoop loop;
  HttpResponse end;
  bool done = false, understood = true;
  HttpRequest request;
  request.url = absl::StrCat(control_url, "/samples?format=compact&tenant=", UrlEncode(tenant));
  request.timeout = absl::Minutes(10);
  loop.Start(std::move(request), {nullptr,
                                  [&](std::string_view piece) {
                                    understood = understood && reader.Feed(piece);
                                    return understood ? BodyFlow::kContinue : BodyFlow::kAbort;
                                  },
                                  [&](HttpResponse response) {
                                    end = std::move(response);
                                    done = true;
                                  }});
  while (!done) loop.Poll(absl::Seconds(1));
  if (!understood) return absl::DataLossError("the region's samples cannot be understood");
  if (!end.transport.ok()) return end.transport;
  if (end.status != 200) {
    return absl::UnavailableError(absl::StrCat("the region answers ", end.status));
  }
  reader.Finish();
  return absl::OkStatus();
}

absl::Status ReadPrometheus(const std::string& url, const std::vector<std::string>& instances,
                            int64_t window_s, int64_t until_ms, Delivered* out) {
  const std::string time =
      until_ms > 0 ? absl::StrFormat("&time=%d.%03d", until_ms / 1000, until_ms % 1000) : "";
  for (const std::string& instance : instances) {
    const std::string query = absl::StrCat("{instance=\"", instance, "\"}[", window_s, "s]");
    if (absl::Status read = ReadInstance(url, query, time, out); !read.ok()) return read;
  }
  return absl::OkStatus();
}

}  // namespace ampari::bench
