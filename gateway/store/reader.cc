#include "gateway/store/reader.h"

#include <algorithm>

#include "gateway/store/keys.h"

namespace ampari {

absl::StatusOr<std::vector<RecordPtr>> ReadRecords(const Database& database, const LiveCache& cache,
                                                   Generation queue, uint64_t from, uint64_t end,
                                                   size_t max_bytes, uint64_t* next) {
  *next = std::max(from, end);
  std::vector<RecordPtr> records = cache.Range(queue, from, end, max_bytes);
  if (!records.empty()) {
    *next = records.back()->sequence + 1;
    return records;
  }
  FamilyPtr family = database.queue(queue);
  if (family == nullptr) return absl::NotFoundError("the queue is gone");
  if (from >= end) return records;
  size_t bytes = 0;
  absl::Status status = database.Scan(
      family, SequenceKey(from), SequenceKey(end), nullptr,
      [&](std::string_view key, std::string_view value) {
        uint64_t sequence = ParseSequenceKey(key).value_or(0);
        if (!records.empty() && bytes + value.size() > max_bytes + kRecordHeaderBytes) {
          *next = sequence;
          return false;
        }
        absl::StatusOr<RecordPtr> record = DecodeRecord(value, sequence);
        if (!record.ok()) return true;
        bytes += (*record)->frame.size();
        records.push_back(*std::move(record));
        return true;
      });
  if (!status.ok()) return status;
  return records;
}

int64_t FirstIntake(const Database& database, const LiveCache& cache, Generation queue,
                    uint64_t from, uint64_t end) {
  if (RecordPtr record = cache.Find(queue, from)) return record->header.intake_ms;
  uint64_t next = 0;
  auto records = ReadRecords(database, cache, queue, from, end, 1, &next);
  return records.ok() && !records->empty() ? records->front()->header.intake_ms : 0;
}

}  // namespace ampari
