// What may be wrong with one answer of a simulated target. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bench/mesh/random_stream.h"

namespace ampari::bench {

enum class Fault : uint8_t {
  kNone,
  kStatus,     // 500
  kBadLine,    // a line that is no exposition: the scrape fails as a whole
  kCut,        // the connection ends in the middle of a line
  kSlow,       // answers after the scrape's timeout
  kCrlf,       // lines end with CR LF: refused as a whole
  kDuplicate,  // some series twice with another value: the first counts, the scrape succeeds
};

std::string_view FaultName(Fault fault);
// InvalidArgument lists the names.
absl::StatusOr<Fault> ParseFault(std::string_view name);
// True when a scraper that follows Prometheus takes the body.
bool IsServed(Fault fault);

// Shares of the scrapes by kind, adding up to at most 1; the rest is kNone.
using FaultShares = std::map<Fault, double>;
Fault DrawFault(const FaultShares& shares, RandomStream& random);

// The body as the fault leaves it; *told_length is the Content-Length to be told (kCut), else 0.
std::string Spoil(Fault fault, std::string body, size_t* told_length);

}  // namespace ampari::bench
