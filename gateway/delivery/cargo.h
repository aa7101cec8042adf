// Cargo: what is particular to one signal in the delivery of a destination: how frames become
// ranges, what a request looks like, and what an answer means. Samples are in sample_cargo.h, lines
// in log_cargo.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/http_client_options.h"
#include "common/http/loop.h"
#include "gateway/delivery/delivery_settings.h"
#include "gateway/delivery/lane.h"
#include "gateway/delivery/outcome.h"
#include "gateway/delivery/pacing.h"
#include "gateway/delivery/parked_units.h"
#include "gateway/delivery/record_source.h"

namespace ampari {

inline constexpr double kBackoffJitter = 0.2;

// What the loop itself needs of a configuration.
struct LoopRules {
  std::string url;
  HttpClientOptions http;
  PacingOptions pacing;
  const char* in_flight_limit = "";  // the setting's name
  bool aligned = false;  // lanes wait for the slowest one (alignment.h), and for producers
  // A lane's next range waits for that many bytes before compression, or until its first frame was
  // taken in that long ago; 0: it does not wait.
  uint64_t batch_bytes = 0;
  absl::Duration batch_wait = absl::ZeroDuration();
};

struct BuildTime {
  absl::Duration now;  // monotonic
  absl::Time wall;
  int64_t started_ms = 0;  // persisted clock: frames taken in before may have been sent before
  const ParkedUnits* parked = nullptr;  // outlives what is built
};

// Of what was built since the last call.
struct BuildNotes {
  std::map<std::string, uint64_t>
      over_limit;    // words of what a limit refused -> how often; bounded
  uint64_t cut = 0;  // lines cut to their limit
};

// Confined to the loop's thread once it runs.
class Cargo {
 public:
  virtual ~Cargo() = default;

  // Takes a configuration over; ranges that exist keep what they were built by. True when ranges
  // are built otherwise from now on. An error leaves all as it was.
  virtual absl::StatusOr<bool> Configure(const DeliverySettings& settings) = 0;
  // Of the last configuration that was taken over.
  virtual LoopRules rules() const = 0;

  // Sets lane.range from its buffer, which is not empty and holds all that it AwaitsIntended().
  // With lane.intending set, lane.intended is to be made durable before anything of the range is
  // sent. Aborted: frames expired meanwhile, the cursor is to be read again. Other errors: nothing
  // was taken, try later.
  virtual absl::Status Build(RecordSource& source, const BuildTime& time, Lane& lane) = 0;
  virtual BuildNotes TakeNotes() = 0;
  // The next request of the lane's range, encoded once. `attempt` is of a range built here.
  virtual HttpRequest Request(const Lane& lane, Attempt& attempt) = 0;
  virtual Outcome Judge(const HttpResponse& response, absl::Time now) const = 0;
  // The range is done.
  virtual void OnDone(const LaneRange& /*range*/, absl::Duration /*now*/) {}

  // A request beside the data that is due, best effort; nullopt: none.
  virtual std::optional<HttpRequest> NextExtra(absl::Duration /*now*/) { return std::nullopt; }
  // When the next is due; the past: nobody knows.
  virtual absl::Duration NextExtraAt() const { return -absl::InfiniteDuration(); }
};

}  // namespace ampari
