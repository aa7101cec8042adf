// Access lines of Istio's default text and JSON as containerd writes them to a file: every request
// has values of its own. Deterministic.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace ampari {

enum class LineStyle : uint8_t { kText, kJson };

class AccessLines {
 public:
  AccessLines(uint64_t seed, LineStyle style) : random_(seed), style_(style) {}

  // Appends one line of the file; one in a thousand is an agent's.
  void Append(std::string* file) {
    time_ += absl::Nanoseconds(Below(2) == 0 ? 9000 + Below(60000) : Below(4'000'000));
    absl::StrAppend(file, absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", time_, absl::UTCTimeZone()),
                    " stdout F ");
    if (Below(1000) == 0) {
      absl::StrAppend(file, Start(absl::ZeroDuration()), "\tinfo\txdsproxy\tconnected to upstream ",
                      "XDS server: istiod.istio-system.svc:15012 [", Below(100), "]\n");
      return;
    }
    AppendRequest(file);
    file->push_back('\n');
  }

 private:
  static constexpr std::array<const char*, 6> kMethods = {"GET", "GET",  "GET",
                                                          "GET", "POST", "PUT"};
  static constexpr std::array<const char*, 10> kCodes = {"200", "200", "200", "200", "200",
                                                         "200", "201", "304", "404", "503"};
  static constexpr std::array<const char*, 4> kAgents = {
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/126.0.0.0 Safari/537.36",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
      "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      "Go-http-client/2.0", "okhttp/4.12.0"};
  static constexpr std::array<const char*, 5> kPaths = {
      "/api/v1/products/", "/reviews/", "/ratings/", "/cart/items/", "/static/js/main."};

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  template <size_t kCount>
  const char* One(const std::array<const char*, kCount>& of) {
    return of[Below(kCount)];
  }
  std::string Start(absl::Duration before) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time_ - before, absl::UTCTimeZone());
  }
  std::string Address(int port) {
    return absl::StrCat("10.244.", Below(4), ".", Below(256), ":", port);
  }

  void AppendRequest(std::string* file) {
    const uint64_t took = 1 + Below(40) * Below(40);
    const uint64_t high = random_(), low = random_();
    const std::string id =
        absl::StrFormat("%08x-%04x-4%03x-9%03x-%012x", high >> 32, (high >> 16) & 0xffff,
                        high & 0xfff, low >> 52, low & 0xffffffffffff);
    const std::string path = absl::StrCat(One(kPaths), Below(100000), "?session=", random_());
    const std::string client = absl::StrCat("203.0.", Below(113), ".", Below(256));
    const std::string server = Address(9080);
    const char* const code = One(kCodes);
    const std::string start = Start(absl::Milliseconds(took));
    const int client_port = static_cast<int>(32768 + Below(28000));
    if (style_ == LineStyle::kText) {
      absl::StrAppend(file, "[", start, "] \"", One(kMethods), " ", path, " HTTP/1.1\" ", code,
                      " - via_upstream - \"-\" 0 ", Below(40000), " ", took, " ", took - 1, " \"");
      absl::StrAppend(file, client, "\" \"", One(kAgents), "\" \"", id, "\" \"reviews:9080\" \"",
                      server, "\" inbound|9080|| 127.0.0.6:", client_port, " ");
      absl::StrAppend(file, server, " ", client, ":0 ",
                      "outbound_.9080_._.reviews.default.svc.cluster.local default");
      return;
    }
    absl::StrAppend(file, R"({"start_time":")", start, R"(","method":")", One(kMethods),
                    R"(","path":")", path, R"(","protocol":"HTTP/1.1","response_code":)", code);
    absl::StrAppend(file, R"(,"response_flags":"-","bytes_sent":)", Below(40000), R"(,"duration":)",
                    took, R"(,"user_agent":")", One(kAgents), R"(","request_id":")", id);
    absl::StrAppend(file, R"(","authority":"reviews:9080","upstream_host":")", server,
                    R"(","upstream_cluster":"inbound|9080||","route_name":"default",)",
                    R"("upstream_transport_failure_reason":null,"x_forwarded_for":")", client,
                    R"("})");
  }

  std::mt19937_64 random_;
  LineStyle style_;
  absl::Time time_ = absl::FromUnixSeconds(1'714'557'600);
};

}  // namespace ampari
