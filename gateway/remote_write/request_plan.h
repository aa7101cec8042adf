// RequestPlan: which samples travel in one remote-write request; how frames are packed into
// requests and how a refused request is taken apart. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/layouts/layout_cache.h"
#include "gateway/remote_write/sample_column.h"

namespace ampari {

// One layout of one instance with the scrapes of it that are sent together, oldest first: several
// columns give several samples per series.
struct SampleGroup {
  InstanceNumber instance = 0;
  uint64_t layout_number = 0;
  std::shared_ptr<const RenderedLayout> layout;
  std::vector<SampleColumn> columns;
  bool with_previous =
      false;  // belongs to the scrape of the group before it: they share a request when they fit
};

// Positions [first, upto) of the columns [column, column_upto) of a group, which outlives it.
struct GroupSlice {
  const SampleGroup* group = nullptr;
  uint32_t first = 0, upto = 0;
  uint32_t column = 0, column_upto = 0;
};

struct RequestPlan {
  std::vector<GroupSlice> slices;
  uint64_t samples = 0;      // that are sent: series with fate kSent only
  uint64_t plain_bytes = 0;  // upper bound before compression
  bool merged() const;       // some series may have several samples
};

struct RequestBounds {
  uint64_t max_samples = 2000;
  uint64_t max_plain_bytes =
      uint64_t{8} << 20;  // receivers bound what they decompress; one series may exceed it
};

// Packs whole scrapes in order, splits what exceeds a bound between families (within one when it
// alone exceeds a bound). No position is in two plans; plans without a sample are left out.
std::vector<RequestPlan> PlanRequests(std::span<const SampleGroup> groups,
                                      const RequestBounds& bounds);

// Two halves by series; one plan when there is only one series.
std::vector<RequestPlan> HalveRequest(const RequestPlan& plan);
// The plan without the series that `apart` names by their label fields, unless nothing is left of
// it, then one plan for each of those.
std::vector<RequestPlan> SetApart(const RequestPlan& plan,
                                  const std::function<bool(std::string_view)>& apart);
// One plan per column, oldest first: they hold the same series and must be sent one after the
// other.
std::vector<RequestPlan> UnmergeRequest(const RequestPlan& plan);
// Label fields of the first series with a sample, or empty.
std::string_view FirstSeries(const RequestPlan& plan);
uint64_t SeriesCount(const RequestPlan& plan);

// Samples of the column whose series have `fate`.
uint64_t CountSamples(const SampleColumn& column, const RenderedLayout& layout, SeriesFate fate);

// Calls fn(position, samples) for each series of the slice that is sent and has samples, in order.
template <typename Fn>
void ForEachSeries(const GroupSlice& slice, Fn fn) {
  std::vector<ColumnCursor> cursors;
  for (uint32_t c = slice.column; c < slice.column_upto; ++c) {
    cursors.emplace_back(slice.group->columns[c], slice.first);
  }
  ColumnCursor::Sample sample;
  for (uint32_t position = slice.first; position < slice.upto; ++position) {
    uint32_t samples = 0;
    for (ColumnCursor& cursor : cursors) samples += cursor.Take(position, &sample) ? 1 : 0;
    if (samples != 0 && slice.group->layout->fates[position] == SeriesFate::kSent)
      fn(position, samples);
  }
}

}  // namespace ampari
