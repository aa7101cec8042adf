// ProxyLines: what an istio-proxy container writes: Envoy's access lines in Istio's default
// formats, Envoy's own messages and the agent's. Each line holds its number, access lines as the
// end of x-request-id, so that every one can be found again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/mesh/pod.h"
#include "bench/mesh/random_stream.h"

namespace ampari::bench {

// Shares of all lines; the rest are HTTP access lines of one to three hundred bytes more or less.
struct LineMix {
  bool json = false;       // access lines as JSON
  double tcp = 0.03;       // "- - -"
  double agent = 0.01;     // of pilot-agent, on stdout
  double envoy = 0.01;     // of Envoy itself, on stderr
  double long_line = 0.0;  // access lines with a path of 10 to 60 KB
  double invalid = 0.0;    // access lines with bytes that are not UTF-8
};

struct ProxyLine {
  bool is_stderr = false;
  std::string text;  // no newline
};

// The same lines for the same pod, mix, seed and times. Not thread-safe.
class ProxyLines {
 public:
  ProxyLines(const Pod& pod, const LineMix& mix, uint64_t seed);
  // `number` below 2^48; `now_ns` since 1970.
  ProxyLine Next(uint64_t number, int64_t now_ns);

 private:
  std::string AccessLine(uint64_t number, int64_t now_ns, bool tcp);
  std::string AgentLine(uint64_t number, int64_t now_ns);
  std::string EnvoyLine(uint64_t number, int64_t now_ns);
  std::string Path();
  std::string RequestId(uint64_t number) const;

  const Pod pod_;
  const LineMix mix_;
  RandomStream random_;
  const std::string id_prefix_;  // of x-request-id
};

// `text` as receivers of UTF-8 are told it: U+FFFD for each byte that is none.
std::string MendedText(std::string_view text);

}  // namespace ampari::bench
