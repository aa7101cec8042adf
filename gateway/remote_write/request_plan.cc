#include "gateway/remote_write/request_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ampari {
namespace {

// Around a series: its tag and length. Around a sample: tags, lengths, value, the longest
// timestamp.
constexpr uint64_t kSeriesOverhead = 6;
constexpr uint64_t kSampleBytes = 22;

uint64_t LabelBytes(const RenderedLayout& layout, uint32_t position) {
  return layout.offsets[position + 1] - layout.offsets[position];
}

GroupSlice Whole(const SampleGroup& group) {
  return {&group, 0, group.layout->size(), 0, static_cast<uint32_t>(group.columns.size())};
}

struct Weight {
  uint64_t samples = 0, plain_bytes = 0;
  void Add(const Weight& other) {
    samples += other.samples;
    plain_bytes += other.plain_bytes;
  }
};

std::string_view LabelFields(const RenderedLayout& layout, uint32_t position) {
  return std::string_view(layout.label_bytes)
      .substr(layout.offsets[position], LabelBytes(layout, position));
}

Weight SeriesWeight(const RenderedLayout& layout, uint32_t position, uint32_t samples) {
  return {samples, LabelBytes(layout, position) + kSeriesOverhead + samples * kSampleBytes};
}

Weight Weigh(const GroupSlice& slice) {
  Weight weight;
  ForEachSeries(slice, [&](uint32_t position, uint32_t samples) {
    weight.Add(SeriesWeight(*slice.group->layout, position, samples));
  });
  return weight;
}

// The weight of a whole group, without a walk when every position has a sample that is sent.
Weight WeighGroup(const SampleGroup& group) {
  const RenderedLayout& layout = *group.layout;
  bool full = layout.dropped == 0 && layout.over_limit == 0;
  for (const SampleColumn& column : group.columns)
    full = full && !column.sparse && column.positions.empty();
  if (!full) return Weigh(Whole(group));
  const uint64_t samples = uint64_t{layout.size()} * group.columns.size();
  return {samples,
          layout.label_bytes.size() + layout.size() * kSeriesOverhead + samples * kSampleBytes};
}

class Packer {
 public:
  explicit Packer(const RequestBounds& bounds) : bounds_(bounds) {}

  bool Fits(const Weight& weight) const {
    return Within({plan_.samples + weight.samples, plan_.plain_bytes + weight.plain_bytes});
  }
  bool Within(const Weight& weight) const {
    return weight.samples <= bounds_.max_samples && weight.plain_bytes <= bounds_.max_plain_bytes;
  }

  void Add(const GroupSlice& slice, const Weight& weight) {
    if (weight.samples == 0) return;
    plan_.slices.push_back(slice);
    plan_.samples += weight.samples;
    plan_.plain_bytes += weight.plain_bytes;
  }

  void Close() {
    if (plan_.samples != 0) plans_.push_back(std::exchange(plan_, RequestPlan{}));
  }

  std::vector<RequestPlan> Finish() {
    Close();
    return std::move(plans_);
  }

 private:
  const RequestBounds bounds_;
  RequestPlan plan_;
  std::vector<RequestPlan> plans_;
};

// Cuts a group that exceeds a request: families whole where they fit.
class GroupCutter {
 public:
  GroupCutter(const SampleGroup& group, Packer& packer)
      : group_(group), packer_(packer), open_(Whole(group)) {}

  void Run() {
    const RenderedLayout& layout = *group_.layout;
    uint64_t family_hash = 0;
    ForEachSeries(open_, [&](uint32_t position, uint32_t samples) {
      if (layout.families[position] != family_hash) EndFamily(position);
      family_hash = layout.families[position];
      const Weight series = SeriesWeight(layout, position, samples);
      Weight grown = family_;
      grown.Add(series);
      if (!packer_.Within(grown)) EndFamily(position);
      family_.Add(series);
    });
    EndFamily(layout.size());
    Cut(layout.size());
  }

 private:
  // The family ends before `position`: it joins the open slice or begins the next one.
  void EndFamily(uint32_t position) {
    Weight grown = taken_;
    grown.Add(family_);
    if (!packer_.Fits(grown)) {
      Cut(family_first_);
      packer_.Close();
    }
    taken_.Add(std::exchange(family_, Weight{}));
    family_first_ = position;
  }

  void Cut(uint32_t upto) {
    GroupSlice slice = open_;
    slice.first = first_;
    slice.upto = upto;
    packer_.Add(slice, std::exchange(taken_, Weight{}));
    first_ = upto;
  }

  const SampleGroup& group_;
  Packer& packer_;
  const GroupSlice open_;
  uint32_t first_ = 0, family_first_ = 0;
  Weight taken_, family_;
};

RequestPlan PlanOf(const std::vector<GroupSlice>& slices) {
  RequestPlan plan;
  for (const GroupSlice& slice : slices) {
    const Weight weight = Weigh(slice);
    if (weight.samples == 0) continue;
    plan.slices.push_back(slice);
    plan.samples += weight.samples;
    plan.plain_bytes += weight.plain_bytes;
  }
  return plan;
}

}  // namespace

bool RequestPlan::merged() const {
  return std::any_of(slices.begin(), slices.end(),
                     [](const GroupSlice& s) { return s.column_upto - s.column > 1; });
}

std::vector<RequestPlan> PlanRequests(std::span<const SampleGroup> groups,
                                      const RequestBounds& bounds) {
  Packer packer(bounds);
  std::vector<Weight> weights;
  for (size_t first = 0; first < groups.size();) {
    size_t upto = first;
    Weight scrape;
    weights.clear();
    do {
      weights.push_back(WeighGroup(groups[upto]));
      scrape.Add(weights.back());
    } while (++upto < groups.size() && groups[upto].with_previous);
    if (!packer.Fits(scrape)) packer.Close();
    for (size_t i = first; i < upto; ++i) {
      if (packer.Fits(weights[i - first])) {
        packer.Add(Whole(groups[i]), weights[i - first]);
      } else {
        GroupCutter(groups[i], packer).Run();
      }
    }
    first = upto;
  }
  return packer.Finish();
}

std::vector<RequestPlan> HalveRequest(const RequestPlan& plan) {
  const uint64_t series = SeriesCount(plan);
  if (series < 2) return {plan};
  uint64_t seen = 0;
  std::vector<GroupSlice> left, right;
  for (const GroupSlice& slice : plan.slices) {
    uint32_t cut = slice.first;
    ForEachSeries(slice, [&](uint32_t position, uint32_t) {
      if (seen++ < series / 2) cut = position + 1;
    });
    GroupSlice before = slice, after = slice;
    before.upto = after.first = cut;
    if (before.upto > before.first) left.push_back(before);
    if (after.upto > after.first) right.push_back(after);
  }
  return {PlanOf(left), PlanOf(right)};
}

std::vector<RequestPlan> SetApart(const RequestPlan& plan,
                                  const std::function<bool(std::string_view)>& apart) {
  std::vector<GroupSlice> rest;
  std::vector<RequestPlan> plans;
  for (const GroupSlice& slice : plan.slices) {
    GroupSlice open = slice;
    ForEachSeries(slice, [&](uint32_t position, uint32_t) {
      if (!apart(LabelFields(*slice.group->layout, position))) return;
      GroupSlice before = open, alone = slice;
      before.upto = alone.first = position;
      alone.upto = open.first = position + 1;
      if (before.upto > before.first) rest.push_back(before);
      plans.push_back(PlanOf({alone}));
    });
    if (open.upto > open.first) rest.push_back(open);
  }
  if (plans.empty()) return {plan};
  RequestPlan others = PlanOf(rest);
  if (others.samples != 0) plans.insert(plans.begin(), std::move(others));
  return plans;
}

std::vector<RequestPlan> UnmergeRequest(const RequestPlan& plan) {
  uint32_t rounds = 0;
  for (const GroupSlice& slice : plan.slices)
    rounds = std::max(rounds, slice.column_upto - slice.column);
  std::vector<RequestPlan> plans;
  for (uint32_t round = 0; round < rounds; ++round) {
    std::vector<GroupSlice> slices;
    for (GroupSlice slice : plan.slices) {
      if (slice.column_upto - slice.column <= round) continue;
      slice.column += round;
      slice.column_upto = slice.column + 1;
      slices.push_back(slice);
    }
    RequestPlan single = PlanOf(slices);
    if (single.samples != 0) plans.push_back(std::move(single));
  }
  return plans;
}

std::string_view FirstSeries(const RequestPlan& plan) {
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  for (const GroupSlice& slice : plan.slices) {
    uint32_t first = kNone;
    ForEachSeries(slice, [&](uint32_t position, uint32_t) { first = std::min(first, position); });
    if (first == kNone) continue;
    return LabelFields(*slice.group->layout, first);
  }
  return {};
}

uint64_t SeriesCount(const RequestPlan& plan) {
  uint64_t series = 0;
  for (const GroupSlice& slice : plan.slices)
    ForEachSeries(slice, [&](uint32_t, uint32_t) { ++series; });
  return series;
}

uint64_t CountSamples(const SampleColumn& column, const RenderedLayout& layout, SeriesFate fate) {
  if (layout.dropped == 0 && layout.over_limit == 0) {
    return fate == SeriesFate::kSent ? column.samples(layout.size()) : 0;
  }
  uint64_t count = 0;
  ColumnCursor cursor(column, 0);
  ColumnCursor::Sample sample;
  for (uint32_t position = 0; position < layout.size(); ++position) {
    if (cursor.Take(position, &sample) && layout.fates[position] == fate) ++count;
  }
  return count;
}

}  // namespace ampari
