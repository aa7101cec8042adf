#include "gateway/delivery/lane_reader.h"

#include <algorithm>
#include <array>
#include <limits>

namespace ampari {
namespace {

constexpr size_t kReadBytes = 512u << 10;
constexpr int kReadsPerFill = 16;
constexpr int64_t kRateWindowMs = 30'000;

}  // namespace

void LaneReader::Start(const Lanes& lanes) {
  front_ = std::numeric_limits<uint64_t>::max();
  for (const Lane& lane : lanes) front_ = std::min(front_, lane.next_read);
  more_ = true;
}

bool LaneReader::FindHungry(const Lanes& lanes, uint64_t* from) const {
  bool found = false;
  for (const Lane& lane : lanes) {
    if (!lane.Hungry() || (lane.next_read >= front_ && !more_)) continue;
    *from = found ? std::min(*from, lane.next_read) : lane.next_read;
    found = true;
  }
  return found;
}

void LaneReader::NoteRate(const RecordHeader& newest) {
  if (newest.cumulative_items < rate_items_ || rate_ms_ == 0) {
    rate_items_ = newest.cumulative_items;
    rate_ms_ = newest.intake_ms;
  } else if (newest.intake_ms - rate_ms_ >= kRateWindowMs) {
    const double seconds = static_cast<double>(newest.intake_ms - rate_ms_) / 1000;
    accepted_rate_ = static_cast<double>(newest.cumulative_items - rate_items_) / seconds;
    rate_items_ = newest.cumulative_items;
    rate_ms_ = newest.intake_ms;
  }
}

void LaneReader::Distribute(const std::vector<RecordPtr>& records, uint64_t from, uint64_t next,
                            Lanes& lanes) {
  std::array<bool, kLanes> takes_part = {}, passed = {};
  for (const Lane& lane : lanes) takes_part[lane.number] = lane.next_read >= from;
  for (const RecordPtr& record : records) {
    const uint32_t number = record->header.lane;
    if (number >= kLanes || !takes_part[number] || passed[number]) continue;
    Lane& lane = lanes[number];
    if (record->sequence < lane.next_read) continue;
    if (!lane.HasRoom()) {
      passed[number] = true;
      lane.next_read = record->sequence;
      continue;
    }
    lane.PushBack(record);
    lane.next_read = record->sequence + 1;
  }
  for (Lane& lane : lanes) {
    if (takes_part[lane.number] && !passed[lane.number])
      lane.next_read = std::max(lane.next_read, next);
  }
}

absl::Status LaneReader::Fill(RecordSource& source, Lanes& lanes) {
  uint64_t from = 0;
  unfinished_ = false;
  for (int reads = 0; FindHungry(lanes, &from); ++reads) {
    if (reads == kReadsPerFill) {
      unfinished_ = true;
      break;
    }
    uint64_t next = from;
    auto records = source.Read(from, kReadBytes, &next);
    if (!records.ok()) return records.status();
    if (records->empty() && next <= from) {
      front_ = std::max(front_, from);
      more_ = false;
      for (Lane& lane : lanes) {
        if (lane.next_read < front_ && lane.next_read >= from) lane.next_read = front_;
      }
      continue;
    }
    Distribute(*records, from, next, lanes);
    if (next > front_ && !records->empty()) NoteRate(records->back()->header);
    front_ = std::max(front_, next);
  }
  return absl::OkStatus();
}

}  // namespace ampari
