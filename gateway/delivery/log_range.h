// LogRange: the LaneRange of lines. Its pushes are in queues; those of a stream are all in one
// queue, which has one push in flight at a time, in the order of the lines, so that a stream keeps
// its order. A refused push is bisected in bounded tries.
//
// A Loki that answers 400 has stored the lines that it does not refuse, and knows them again by
// equal time, line and metadata: what is sent of them a second time is harmless.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway/delivery/lane_range.h"
#include "gateway/delivery/log_batch.h"
#include "gateway/delivery/push_size.h"
#include "gateway/delivery/stream_book.h"

namespace ampari {

// Frames that can be decoded, with all that decides the bytes of their lines and their order.
struct LogFrames {
  std::vector<RecordPtr> records;
  std::vector<uint64_t> sequences;  // theirs
  std::vector<Labels> enforced;     // of each record
  std::shared_ptr<StreamRenderer> renderer;
  std::set<std::string> alone;  // streams that share no push, after all others
};

struct LineAttempt : Attempt {
  LineUnit unit;
  std::string stream;  // the selector, when it is known to be of one stream
  size_t queue = 0;
  std::shared_ptr<uint32_t> tries_left;  // of the refused push that it is a part of
  bool perhaps_stored = false;           // an answer did not say which of its lines are stored
  bool throttled_part = false;           // of a push that was halved for 429
  uint32_t throttled = 0;                // answers of 429
};
using LineAttemptPtr = std::unique_ptr<LineAttempt>;

// What it shares with other ranges of the destination, and what must outlive it.
struct LogParts {
  LogFrameReader& reader;
  StreamBook& streams;
  PushSize& size;
};

// Not thread-safe.
class LogRange final : public LaneRange {
 public:
  using Queue = std::deque<LineAttemptPtr>;  // in the order of the lines

  // `settlement` holds the extent and what was counted before sending; `items` is what all must add
  // up to.
  LogRange(LogFrames frames, LogParts parts, std::vector<Queue> queues, Settlement settlement,
           uint64_t items);

  bool ready() const override;
  LineAttempt* Take() override;
  void OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                const std::string& words) override;
  size_t in_flight() const override { return in_flight_count_; }
  bool done() const override { return in_flight_count_ == 0 && waiting_count_ == 0; }
  std::string UnitOf(Attempt& attempt) const override;
  bool divisible(const Attempt& attempt) const override { return attempt.items > 1; }
  uint64_t upto() const override { return settlement_.upto; }
  Settlement Finish() override;

  // All lines, decoded anew.
  struct Loaded {
    std::vector<FrameLines> frames;
    LineGroups groups;  // point into `frames`
  };
  Loaded Load() const;
  const LogFrames& frames() const { return frames_; }

 private:
  void PushFront(LineAttemptPtr attempt);
  void Retry(LineAttemptPtr attempt, const Outcome& outcome, int http_status);
  void HalveAgain(LineAttemptPtr attempt, const Outcome& outcome, int http_status);
  void TakeApart(LineAttemptPtr attempt, int http_status, const std::string& words);
  void AddParts(const LineAttempt& whole, LineHalves halves, int http_status);
  void Refuse(const LineAttempt& attempt, int http_status, const std::string& words);
  void KeepDeadLetter(const LineAttempt& attempt, int http_status, const std::string& words);

  const LogFrames frames_;
  const LogParts parts_;
  Settlement settlement_;
  const uint64_t items_;
  std::vector<Queue> waiting_;
  std::vector<LineAttemptPtr> in_flight_;  // by queue
  size_t waiting_count_ = 0, in_flight_count_ = 0;
  size_t turn_ = 0;  // the queue that is looked at first
};

}  // namespace ampari
