// Writes families from compact tables into an Exposition.
#pragma once

#include <string_view>
#include <vector>

#include "bench/mesh/exposition.h"

namespace ampari::bench {

// The 20 bounds of Envoy's histograms.
const std::vector<std::string_view>& EnvoyBounds();

enum class Help : uint8_t { kWithout, kWith };  // Envoy writes no HELP

// # HELP (when asked for) and # TYPE of `name`.
void Head(std::string_view name, std::string_view type, Help help, Exposition& out);

// One family with one sample each for the space-separated `names`, every name behind `prefix`, with
// `labels` (with braces, or empty).
void Families(std::string_view prefix, std::string_view names, std::string_view type,
              std::string_view labels, Help help, Motion motion, Exposition& out);

}  // namespace ampari::bench
