// Shipment: what the scraping stage hands to the shipping stage, in stream order per target.
#pragma once

#include <cstdint>
#include <vector>

#include "common/frame/registration.h"
#include "common/frame/scrape.h"

namespace ampari {

// Numbers of series, layouts and blocks are allocated by the scraping stage from the instance's
// counters (NumberSource), in ranges; block numbers need not arrive in order.
struct Shipment {
  std::vector<RegistrationBlock> registrations;  // precede the scrape that uses them
  Scrape scrape;
  uint64_t samples = 0;                  // SampleCount(scrape)
  std::vector<uint64_t> retired_blocks;  // no later scrape of the target refers to them
};

}  // namespace ampari
