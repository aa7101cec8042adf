#include "gateway/delivery/decoded_frame.h"

#include "absl/strings/str_cat.h"
#include "gateway/layouts/layout_renderer.h"

namespace ampari {

// The rendered layouts of one frame, looked up once each; remembers the first failure that is not
// NotFound.
class FrameReader::Layouts final : public LayoutSizes {
 public:
  Layouts(LayoutCache& cache, InstanceNumber instance, const RenderRules& rules)
      : cache_(cache), instance_(instance), rules_(rules) {}

  bool Size(uint64_t layout, uint32_t* size) const override {
    const auto rendered = Get(layout);
    if (rendered == nullptr) return false;
    *size = rendered->size();
    return true;
  }

  std::shared_ptr<const RenderedLayout> Get(uint64_t layout) const {
    auto [found, is_new] = known_.try_emplace(layout);
    if (!is_new) return found->second;
    auto rendered = cache_.Rendered(instance_, layout, rules_);
    if (rendered.ok()) {
      found->second = *std::move(rendered);
    } else if (failure_.ok()) {
      failure_ = rendered.status();
    }
    return found->second;
  }

  absl::StatusOr<SeriesRangeList> RangesOf(uint64_t layout,
                                           const std::vector<uint32_t>& positions) const {
    const auto series = cache_.Series(instance_, layout);
    if (!series.ok()) return series.status();
    std::vector<uint64_t> numbers;
    numbers.reserve(positions.size());
    for (const uint32_t position : positions) {
      if (position >= (*series)->size())
        return absl::DataLossError("a stale position beyond its layout");
      numbers.push_back((**series)[position]);
    }
    return SeriesRanges(std::move(numbers));
  }

  const absl::Status& failure() const { return failure_; }

 private:
  LayoutCache& cache_;
  const InstanceNumber instance_;
  const RenderRules& rules_;
  mutable std::map<uint64_t, std::shared_ptr<const RenderedLayout>> known_;
  mutable absl::Status failure_;
};

namespace {

absl::Status CheckColumn(const DecodedColumn& column) {
  const uint32_t size = column.layout->size();
  const SampleColumn& samples = column.column;
  if (!samples.positions.empty() && samples.positions.back() >= size) {
    return absl::DataLossError("a position beyond its layout");
  }
  if (!samples.stale && samples.values.size() != samples.samples(size)) {
    return absl::DataLossError("values differ from the layout's size");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FrameReader::AddScrape(Scrape scrape, const Layouts& layouts, DecodedFrame& out) {
  const size_t first = out.columns.size();
  const auto add = [&](uint64_t layout, SampleColumn column) {
    column.record = out.sequence;
    column.timestamp_ms = scrape.timestamp_ms;
    out.columns.push_back(
        {layout, layouts.Get(layout), std::move(column), {}, out.columns.size() == first});
  };
  if (scrape.body_layout != 0) {
    SampleColumn body;
    body.stale = scrape.all_stale;
    body.positions = std::move(scrape.absent);
    body.values = std::move(scrape.body_values);
    body.timestamps = std::move(scrape.timestamps);
    if (body.stale) body.timestamps.clear();
    add(scrape.body_layout, std::move(body));
  }
  if (scrape.report_layout != 0) {
    SampleColumn report;
    report.stale = scrape.report_stale;
    report.values = std::move(scrape.report_values);
    add(scrape.report_layout, std::move(report));
  }
  if (scrape.stale_layout != 0 && !scrape.stale_positions.empty()) {
    SampleColumn stale;
    stale.sparse = stale.stale = true;
    stale.positions = std::move(scrape.stale_positions);
    auto ranges = layouts.RangesOf(scrape.stale_layout, stale.positions);
    if (!ranges.ok()) return ranges.status();
    add(scrape.stale_layout, std::move(stale));
    out.columns.back().own_ranges = *std::move(ranges);
  }
  for (size_t i = first; i < out.columns.size(); ++i) {
    if (out.columns[i].layout == nullptr) return absl::NotFoundError("a layout is unknown");
    if (absl::Status checked = CheckColumn(out.columns[i]); !checked.ok()) return checked;
  }
  for (FamilyMetadata& family : scrape.metadata) out.metadata.push_back(std::move(family));
  return absl::OkStatus();
}

absl::StatusOr<DecodedFrame> FrameReader::Read(const Record& record, const RenderRules& rules) {
  const Layouts layouts(layouts_, record.header.instance, rules);
  absl::StatusOr<std::vector<Scrape>> scrapes =
      decoder_.Decode(record.frame, layouts, kMaxFrameRawBytes);
  if (!layouts.failure().ok()) return layouts.failure();
  if (!scrapes.ok()) return scrapes.status();
  DecodedFrame frame;
  frame.sequence = record.sequence;
  frame.instance = record.header.instance;
  for (Scrape& scrape : *scrapes) {
    absl::Status added = AddScrape(std::move(scrape), layouts, frame);
    if (!layouts.failure().ok()) return layouts.failure();
    if (!added.ok()) return added;
  }
  uint64_t samples = 0;
  for (const DecodedColumn& column : frame.columns)
    samples += column.column.samples(column.layout->size());
  if (samples != record.header.items) {
    return absl::DataLossError(absl::StrCat("the frame holds ", samples,
                                            " samples, its record says ", record.header.items));
  }
  return frame;
}

}  // namespace ampari
