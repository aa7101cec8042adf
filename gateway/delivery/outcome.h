// Outcome: from an answer of the region to what becomes of the samples or lines of the request.
// Retry is data: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/http/loop.h"
#include "common/http/retry_after.h"

namespace ampari {

enum class Fate : uint8_t {
  kDelivered,
  kRetry,    // the same samples again, after a delay
  kHold,     // a human must act: the destination is held
  kSplit,    // too large: send the halves
  kRefused,  // something in it is refused: take it apart
  kBlocked,  // taken and thrown away by the region's own decision
  // Of what kRetry or kHold has gone on for too long (lane_health.h):
  kHalve,  // the halves again, after a delay
  kPark,   // set aside
};

// Who waits after a kRetry.
enum class Brake : uint8_t { kNone, kLane, kDestination };

struct Outcome {
  Fate fate = Fate::kRetry;
  Brake brake = Brake::kNone;
  // The region may have stored (part of) it: a refusal of its resend proves nothing.
  bool unanswered = false;
  std::optional<absl::Duration> retry_after;  // capped
};

inline constexpr size_t kMaxWordsBytes = 1024;  // of a region's answer that are kept

// Remote write 1.0. `now` is the wall clock, for Retry-After as a date. `retry_on_429` false holds
// at 429 what Prometheus would drop.
Outcome ClassifyAnswer(const HttpResponse& response, bool retry_on_429, absl::Time now);

// A Loki push (grafana/loki, pkg/distributor/http.go): as remote write, but for 260, and for 429 of
// a stream ("per stream rate limit", "maximum active stream limit"), which brakes its lane alone.
Outcome ClassifyPushAnswer(const HttpResponse& response, absl::Time now);

// "429", "no answer", …: the name of what an answer was, for people.
std::string AnswerName(const HttpResponse& response);
// The region's words or the transport's without `secrets`, one printable line of at most
// kMaxWordsBytes.
std::string AnswerWords(const HttpResponse& response, std::vector<std::string> secrets);

}  // namespace ampari
