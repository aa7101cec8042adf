#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/region/json_value.h"
#include "bench/verify/log_check.h"
#include "common/http/loop.h"

namespace ampari::bench {
namespace {

constexpr size_t kMaxAnswerBytes = size_t{2} << 30;

absl::StatusOr<std::string> Fetch(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.timeout = absl::Minutes(5);
  request.max_response_bytes = kMaxAnswerBytes;
  HttpResponse response = FetchOnce(std::move(request));
  if (!response.transport.ok()) return response.transport;
  if (response.status != 200) {
    return absl::UnavailableError(absl::StrCat("the region answers ", response.status));
  }
  return std::move(response.body);
}

bool IsOthers(const JsonValue& labels, const LogLabelNames& names) {
  return !std::all_of(names.only.begin(), names.only.end(),
                      [&](const auto& pair) { return labels[pair.first].text == pair.second; });
}

bool ReadHead(std::string_view text, const LogLabelNames& names, DeliveredStream* stream,
              bool* others) {
  const absl::StatusOr<JsonValue> head = ParseJson(text);
  if (!head.ok()) return false;
  const JsonValue& labels = (*head)["labels"];
  *others = IsOthers(labels, names);
  stream->namespace_name = labels[names.namespace_name].text;
  stream->pod = labels[names.pod].text;
  stream->container = labels[names.container].text;
  stream->selector = std::string(text);
  return true;
}

bool ReadLine(std::string_view text, DeliveredStream::Line* line) {
  const char* end = text.data() + text.size();
  const char* tab = std::from_chars(text.data(), end, line->time_ns).ptr;
  return tab != end && *tab == '\t' && std::from_chars(tab + 1, end, line->hash, 16).ptr == end;
}

bool ReadStreams(std::string_view text, const LogLabelNames& names,
                 std::vector<DeliveredStream>* streams) {
  bool others = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with('{')) {
      DeliveredStream stream;
      if (!ReadHead(line, names, &stream, &others)) return false;
      if (!others) streams->push_back(std::move(stream));
    } else if (!others && !ReadLine(line, &streams->back().lines.emplace_back())) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<DeliveredLogs> ReadRegionLogs(const std::string& control_url,
                                             const std::string& tenant,
                                             const LogLabelNames& names) {
  const absl::StatusOr<std::string> hashes =
      Fetch(absl::StrCat(control_url, "/line_hashes?tenant=", tenant));
  if (!hashes.ok()) return hashes.status();
  const absl::StatusOr<std::string> report = Fetch(absl::StrCat(control_url, "/report"));
  if (!report.ok()) return report.status();
  const absl::StatusOr<JsonValue> parsed = ParseJson(*report);
  DeliveredLogs delivered;
  if (!parsed.ok() || !ReadStreams(*hashes, names, &delivered.streams)) {
    return absl::DataLossError("the region's lines cannot be understood");
  }
  delivered.doubles = static_cast<uint64_t>((*parsed)["logs"][tenant]["doubles"].number());
  return delivered;
}

}  // namespace ampari::bench
