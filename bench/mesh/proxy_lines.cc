#include "bench/mesh/proxy_lines.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/http/json_writer.h"
#include "common/labels/quote.h"

namespace ampari::bench {
namespace {

struct Outcome {
  int code;
  const char* flags;
  const char* details;
  int weight;  // of 1,000
};
constexpr std::array<Outcome, 7> kOutcomes = {{
    {200, "-", "via_upstream", 880},
    {201, "-", "via_upstream", 30},
    {304, "-", "via_upstream", 20},
    {404, "-", "via_upstream", 30},
    {404, "NR", "route_not_found", 10},
    {500, "-", "via_upstream", 15},
    {503, "UF",
     "upstream_reset_before_response_started{connection_failure,delayed_connect_error:_111}", 15},
}};
constexpr std::array<const char*, 4> kMethods = {"GET", "GET", "POST", "PUT"};
constexpr std::array<const char*, 5> kPaths = {"/productpage", "/api/v1/products/1/reviews",
                                               "/details/0?expand=all", "/ratings/7", "/healthz"};
constexpr std::array<const char*, 3> kAgents = {
    "curl/8.4.0", "Go-http-client/1.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0"};

const Outcome& Pick(RandomStream& random) {
  auto left = static_cast<int>(random.Below(1000));
  for (const Outcome& outcome : kOutcomes) {
    left -= outcome.weight;
    if (left < 0) return outcome;
  }
  return kOutcomes[0];
}

std::string Time(int64_t now_ns, const char* format) {
  return absl::FormatTime(format, absl::FromUnixNanos(now_ns), absl::UTCTimeZone());
}

std::string IdPrefix(const std::string& uid) {
  const uint64_t hash = XXH3_64bits(uid.data(), uid.size());
  return absl::StrFormat("%08x-%04x-4%03x-8%03x-", hash >> 32, hash >> 16 & 0xffff,
                         hash >> 4 & 0xfff, hash >> 8 & 0xfff);
}

}  // namespace

ProxyLines::ProxyLines(const Pod& pod, const LineMix& mix, uint64_t seed)
    : pod_(pod),
      mix_(mix),
      random_(seed ^ XXH3_64bits(pod.uid.data(), pod.uid.size())),
      id_prefix_(IdPrefix(pod.uid)) {}

ProxyLine ProxyLines::Next(uint64_t number, int64_t now_ns) {
  const double kind = random_.Unit();
  if (kind < mix_.agent) return {false, AgentLine(number, now_ns)};
  if (kind < mix_.agent + mix_.envoy) return {true, EnvoyLine(number, now_ns)};
  return {false, AccessLine(number, now_ns, kind < mix_.agent + mix_.envoy + mix_.tcp)};
}

std::string ProxyLines::RequestId(uint64_t number) const {
  return absl::StrFormat("%s%012x", id_prefix_, number);
}

std::string ProxyLines::Path() {
  std::string path = kPaths[random_.Below(kPaths.size())];
  if (random_.Chance(mix_.long_line)) {
    path += "?q=";
    path.append(10'000 + random_.Below(50'000), 'x');
  }
  if (random_.Chance(mix_.invalid)) path += "/\xff\xc3(\xed\xa0\x80/caf\xc3\xa9";
  return path;
}

std::string ProxyLines::AccessLine(uint64_t number, int64_t now_ns, bool tcp) {
  const auto duration = static_cast<int64_t>(random_.Below(900));
  const std::string start = Time(now_ns - duration * 1'000'000, "%Y-%m-%dT%H:%M:%E3SZ");
  const auto received = random_.Below(2000), sent = random_.Below(9000);
  const std::string port = absl::StrCat(30'000 + random_.Below(30'000));
  if (tcp && !mix_.json) {
    return absl::StrFormat(
        "[%s] \"- - -\" 0 - - - \"-\" %d %d %d - \"-\" \"-\" \"%s\" \"-\" \"10.244.0.9:3306\" "
        "outbound|3306||mysql.%s.svc.cluster.local %s:%s 10.96.0.9:3306 %s:%s - -",
        start, received, sent, duration, RequestId(number), pod_.namespace_name, pod_.ip, port,
        pod_.ip, port);
  }
  const Outcome& outcome = Pick(random_);
  const char* method = kMethods[random_.Below(kMethods.size())];
  const char* agent = kAgents[random_.Below(kAgents.size())];
  const std::string path = Path();
  if (mix_.json) {
    JsonWriter out;
    out.BeginObject()
        .Field("authority", absl::StrCat(pod_.app, ":9080"))
        .Field("bytes_received", received)
        .Field("bytes_sent", sent)
        .Field("duration", duration)
        .Field("method", method)
        .Field("path", path)
        .Field("protocol", "HTTP/1.1")
        .Field("request_id", RequestId(number))
        .Field("response_code", outcome.code)
        .Field("response_code_details", outcome.details)
        .Field("response_flags", outcome.flags)
        .Field("route_name", "default")
        .Field("start_time", start)
        .Key("upstream_transport_failure_reason")
        .Null()
        .Field("user_agent", agent)
        .EndObject();
    return out.Take();
  }
  return absl::StrFormat(
      "[%s] \"%s %s HTTP/1.1\" %d %s %s - \"-\" %d %d %d %d \"-\" \"%s\" \"%s\" \"%s:9080\" "
      "\"%s:9080\" inbound|9080|| 127.0.0.6:%s %s:9080 10.244.0.7:%s "
      "outbound_.9080_._.%s.%s.svc.cluster.local default",
      start, method, path, outcome.code, outcome.flags, outcome.details, received, sent, duration,
      duration, agent, RequestId(number), pod_.app, pod_.ip, port, pod_.ip, port, pod_.app,
      pod_.namespace_name);
}

std::string ProxyLines::AgentLine(uint64_t number, int64_t now_ns) {
  return absl::StrFormat("%s\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod-%d",
                         Time(now_ns, "%Y-%m-%dT%H:%M:%E6SZ"), number);
}

std::string ProxyLines::EnvoyLine(uint64_t number, int64_t now_ns) {
  return absl::StrFormat(
      "%s\twarning\tenvoy config external/envoy/source/common/config/grpc_stream.h:191\t"
      "StreamAggregatedResources gRPC config stream to xds-grpc closed: 13, \tthread=%d",
      Time(now_ns, "%Y-%m-%dT%H:%M:%E6SZ"), number);
}

std::string MendedText(std::string_view text) {
  std::string mended;
  while (!text.empty()) {
    char32_t code_point = 0;
    const size_t size = DecodeUtf8(text, &code_point);
    if (size == 0) AppendUtf8(U'\uFFFD', &mended);
    mended.append(text.substr(0, size));
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return mended;
}

}  // namespace ampari::bench
