// Reading for delivery: records of a queue in order, from the live cache or else from the disk.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/store/database.h"
#include "gateway/store/live_cache.h"

namespace ampari {

// Records of [from, end) in order, at most `max_bytes` of frames but at least one if there is one;
// `*next` is where to read on. What is missing or cannot be read is passed over: the audit counts
// it.
absl::StatusOr<std::vector<RecordPtr>> ReadRecords(const Database& database, const LiveCache& cache,
                                                   Generation queue, uint64_t from, uint64_t end,
                                                   size_t max_bytes, uint64_t* next);

// Intake stamp of the first record at or after `from`, 0 if there is none.
int64_t FirstIntake(const Database& database, const LiveCache& cache, Generation queue,
                    uint64_t from, uint64_t end);

}  // namespace ampari
