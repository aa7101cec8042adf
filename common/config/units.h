// Durations and sizes as Prometheus writes them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ampari {

// 1h30m, 15s, 500ms, 0: units y w d h m s ms, each at most once and in that order
// (prometheus/common model.ParseDuration). InvalidArgument tells the form; up to 292 years.
absl::StatusOr<absl::Duration> ParsePromDuration(std::string_view text);
std::string FormatPromDuration(absl::Duration duration);

// Bytes: 512MiB, 50GiB, 10MB, 1.5GB, 4096: all units are powers of 1024, KB as well as KiB
// (Prometheus' Base2Bytes).
absl::StatusOr<uint64_t> ParseByteSize(std::string_view text);
std::string FormatByteSize(uint64_t bytes);

}  // namespace ampari
