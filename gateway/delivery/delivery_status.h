// DeliveryStatus: what is shown of one destination.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gateway/store/settlement.h"

namespace ampari {

struct DeliveryStatus {
  DestinationId id;
  std::string url;    // without user information
  bool held = false;  // a human must act
  std::string
      state;  // "delivering", "catching up", "retrying", "held", "idle", "waiting for forwarders"
  std::string last_error;  // the region's words, bounded, no secret
  uint64_t requests_total = 0, retries_total = 0, request_bytes_total = 0;
  std::map<int, uint64_t> responses_total;  // by HTTP status; 0: no answer
  uint32_t in_flight = 0;
  uint64_t samples_sent_total = 0;  // or lines, as all that follows
  double delivered_rate = 0;        // samples/s over the last minute
  double accepted_rate = 0;
  std::string brake;  // what slows it most now, e.g. "429 91 %", or empty
  int64_t held_since_ms = 0, failing_since_ms = 0;
  std::map<std::string, uint64_t>
      over_limit_series;         // refused by a limit: words -> scrapes or lines, the first 100
  uint64_t lines_cut_total = 0;  // lines cut to max_line_size
};

}  // namespace ampari
