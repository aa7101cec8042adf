// SeriesRenderer: from a series' labels to what a destination is sent of it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/labels/labels.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

// Appends one `labels` field (number 1) of a prometheus.TimeSeries per label, in the set's order.
void AppendLabelFields(const Labels& labels, std::string& out);

// {a="x"} of what AppendLabelFields wrote, for people, at most `max_bytes` long; "{}" for other
// bytes.
std::string LabelFieldsText(std::string_view fields, size_t max_bytes);

// Equal for the parts of one histogram or summary (its buckets, sum and count), so that they are
// not torn apart.
uint64_t FamilyHash(const Labels& labels);

// Words when a limit refuses the series, naming the labels that are candidates to drop; empty when
// none does.
std::string LimitRefusal(const Labels& labels, const DestinationLimits& limits);

// Not thread-safe: renders the positions of one layout, in order. `rules` and `enforced` must
// outlive it.
class SeriesRenderer {
 public:
  SeriesRenderer(const RenderRules& rules, const Labels& enforced)
      : rules_(rules), enforced_(enforced) {}

  // Appends the next position to `out`, whose offsets are closed by the caller's last call.
  void Append(const Labels& series, RenderedLayout& out);

 private:
  SeriesFate Render(const Labels& series, Labels* rendered);
  void AppendSent(const Labels& rendered, RenderedLayout& out);

  const RenderRules& rules_;
  const Labels& enforced_;
  LabelsBuilder builder_;
  size_t previous_begin_ = 0;  // of the last sent position's label bytes
};

}  // namespace ampari
