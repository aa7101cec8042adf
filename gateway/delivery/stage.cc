#include "gateway/delivery/stage.h"

namespace ampari {

bool StageComposer::Joins(const SampleGroup& group, const DecodedColumn& column) const {
  if (merging_ == Merging::kOff || column.column.sparse || group.layout != column.layout)
    return false;
  const SampleColumn& last = group.columns.back();
  return group.columns.size() < max_columns_ && last.timestamps.empty() &&
         column.column.timestamps.empty() && last.timestamp_ms < column.column.timestamp_ms;
}

bool StageComposer::Overlaps(InstanceNumber instance, const SeriesRangeList& ranges) const {
  for (const auto& [first, upto] : ranges) {
    auto above = taken_.lower_bound({instance, upto});
    if (above == taken_.begin()) continue;
    const auto& [start, end] = *std::prev(above);
    if (start.first == instance && end > first) return true;
  }
  return false;
}

void StageComposer::AddColumn(InstanceNumber instance, DecodedColumn column) {
  const GroupKey key{instance, column.layout_number};
  const auto found = groups_.find(key);
  if (found != groups_.end() && Joins(stage_[found->second], column)) {
    stage_[found->second].columns.push_back(std::move(column.column));
    previous_is_new_ = false;
    return;
  }
  if (Overlaps(instance, column.ranges())) Cut();
  for (const auto& [first, upto] : column.ranges()) taken_[{instance, first}] = upto;
  if (!column.column.sparse) groups_[key] = stage_.size();
  SampleGroup group{
      instance, column.layout_number, column.layout, {}, previous_is_new_ && !column.begins_scrape};
  group.columns.push_back(std::move(column.column));
  stage_.push_back(std::move(group));
  previous_is_new_ = true;
}

void StageComposer::Add(DecodedFrame frame) {
  for (DecodedColumn& column : frame.columns) AddColumn(frame.instance, std::move(column));
}

void StageComposer::Cut() {
  if (!stage_.empty()) done_.push_back(std::move(stage_));
  stage_.clear();
  groups_.clear();
  taken_.clear();
  previous_is_new_ = false;
}

std::vector<Stage> StageComposer::Finish() {
  Cut();
  return std::move(done_);
}

}  // namespace ampari
