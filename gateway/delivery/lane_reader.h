// LaneReader: hands the queue's frames to their lanes. One position reads on for all; a lane whose
// buffer is full is passed and read for later, from its own position.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "gateway/delivery/lane.h"
#include "gateway/delivery/record_source.h"

namespace ampari {

// Thread-compatible.
class LaneReader {
 public:
  // Begins at the lowest of the lanes' positions.
  void Start(const Lanes& lanes);
  // The queue has grown.
  void Wake() { more_ = true; }
  // Reads until no lane is hungry that could be fed, or a bounded number of reads was done; then
  // `unfinished()`.
  absl::Status Fill(RecordSource& source, Lanes& lanes);
  bool unfinished() const { return unfinished_; }

  // First queue sequence that no lane has looked at.
  uint64_t front() const { return front_; }
  // Samples per second that were accepted when the latest frames came in; 0: unknown.
  double accepted_rate() const { return accepted_rate_; }

 private:
  bool FindHungry(const Lanes& lanes, uint64_t* from) const;
  void Distribute(const std::vector<RecordPtr>& records, uint64_t from, uint64_t next,
                  Lanes& lanes);
  void NoteRate(const RecordHeader& newest);

  uint64_t front_ = 0;
  bool more_ = true;
  bool unfinished_ = false;
  double accepted_rate_ = 0;
  uint64_t rate_items_ = 0;
  int64_t rate_ms_ = 0;
};

}  // namespace ampari
