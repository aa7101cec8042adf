// LogRange: the LaneRange of lines. One request is in flight at a time, in the order of the lines,
// so that a stream keeps its order; a refused push is bisected in bounded tries.
//
// A Loki that answers 400 has stored the lines that it does not refuse, and knows them again by
// equal time, line and metadata: what is sent of them a second time is harmless.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gateway/delivery/lane_range.h"
#include "gateway/delivery/log_batch.h"
#include "gateway/delivery/refused_streams.h"

namespace ampari {

// Frames that can be decoded, with the rules that decide the bytes of their lines.
struct LogFrames {
  std::vector<RecordPtr> records;
  std::vector<Labels> enforced;  // of each record
  std::shared_ptr<StreamRenderer> renderer;
};

struct LineAttempt : Attempt {
  LineUnit unit;
  std::string stream;                    // the selector, when it is known to be of one stream
  std::shared_ptr<uint32_t> tries_left;  // of the refused push that it is a part of
  bool perhaps_stored = false;           // an answer did not say which of its lines are stored
};

// Not thread-safe. `reader` and `refused` must outlive it.
class LogRange final : public LaneRange {
 public:
  // `settlement` holds the extent and what was counted before sending; `items` is what all must add
  // up to. `attempted`: the frames may have been sent before the last stop.
  LogRange(LogFrames frames, LogFrameReader& reader, RefusedStreams& refused,
           const std::vector<LineUnit>& batches, Settlement settlement, uint64_t items,
           bool attempted);

  bool ready() const override { return in_flight_ == nullptr && !waiting_.empty(); }
  LineAttempt* Take() override;
  void OnAnswer(Attempt* attempt, const Outcome& outcome, int http_status,
                const std::string& words) override;
  size_t in_flight() const override { return in_flight_ == nullptr ? 0 : 1; }
  bool done() const override { return in_flight_ == nullptr && waiting_.empty(); }
  uint64_t upto() const override { return settlement_.upto; }
  Settlement Finish() override;

  // Decodes the frames anew.
  std::vector<FrameLines> Load() const;
  // Of the next request, when it was encoded already.
  void SetBody(std::string body);

 private:
  using AttemptPtr = std::unique_ptr<LineAttempt>;

  void TakeApart(AttemptPtr attempt, int http_status, const std::string& words);
  void AddPart(const LineAttempt& whole, const LineUnit& unit, std::string stream, int http_status);
  void Refuse(const LineAttempt& attempt, int http_status, const std::string& words);
  void KeepDeadLetter(const LineAttempt& attempt, int http_status, const std::string& words);

  const LogFrames frames_;
  LogFrameReader& reader_;
  RefusedStreams& refused_;
  Settlement settlement_;
  const uint64_t items_;
  std::deque<AttemptPtr> waiting_;  // in the order of the lines
  AttemptPtr in_flight_;
};

}  // namespace ampari
