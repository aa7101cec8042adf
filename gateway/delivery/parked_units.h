// ParkedUnits: the series or streams of a destination of which something was set aside as parked.
// Until the region takes or rejects something of them they travel by themselves, are tried once a
// minute, and what comes in between is set aside with the rest: so they hold nobody back.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace ampari {

// Beyond it the one that waits longest for its next try is forgotten: it must fail for an hour
// anew.
inline constexpr size_t kMaxParkedUnits = 1024;
inline constexpr absl::Duration kTryParkedEvery = absl::Minutes(1);

// Thread-compatible. Times are monotonic.
class ParkedUnits {
 public:
  bool empty() const { return tried_.empty(); }
  bool Contains(std::string_view unit) const { return tried_.contains(unit); }
  // It may be tried at once: what failed may have been one line of a stream that is good. False:
  // it was in already.
  bool Add(const std::string& unit);
  void Remove(std::string_view unit);
  void Clear() { tried_.clear(); }
  // Whether a new request of the unit is sent; true is noted as its try.
  bool MayTry(std::string_view unit, absl::Duration now);

 private:
  std::map<std::string, absl::Duration, std::less<>> tried_;  // when last
};

}  // namespace ampari
