#include "gateway/layouts/series_renderer.h"

#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/labels/varint.h"

namespace ampari {
namespace {

constexpr std::string_view kNameLabel = "__name__";
constexpr size_t kMaxLimitWords = 512;     // bytes
constexpr size_t kMaxLimitExamples = 100;  // per layout
constexpr size_t kMaxCandidates = 8;
constexpr size_t kMaxNameInWords = 64;  // bytes

bool TakeField(std::string_view& in, char tag, std::string_view* field) {
  if (in.empty() || in.front() != tag) return false;
  in.remove_prefix(1);
  uint64_t size = 0;
  const size_t used = ReadVarint(in, &size);
  if (used == 0 || size > in.size() - used) return false;
  in.remove_prefix(used);
  *field = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::string_view FamilyOf(std::string_view name) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

// Labels that identify nothing that a person would miss come first: those that say "unknown".
std::string DropCandidates(const Labels& labels) {
  std::vector<Label> candidates;
  for (const Label label : labels) {
    if (label.name == kNameLabel || label.name == "job" || label.name == "instance" ||
        label.name == "le" || label.name == "quantile") {
      continue;
    }
    candidates.push_back(label);
  }
  std::stable_partition(candidates.begin(), candidates.end(),
                        [](const Label& l) { return l.value == "unknown"; });
  if (candidates.size() > kMaxCandidates) candidates.resize(kMaxCandidates);
  std::string names;
  for (const Label& label : candidates) {
    names.append(names.empty() ? "" : ", ").append(label.name.substr(0, kMaxNameInWords));
  }
  return names;
}

}  // namespace

void AppendLabelFields(const Labels& labels, std::string& out) {
  for (const Label label : labels) {
    const size_t name = label.name.size(), value = label.value.size();
    out.push_back(0x0a);
    AppendVarint(2 + VarintSize(name) + name + VarintSize(value) + value, &out);
    out.push_back(0x0a);
    AppendVarint(name, &out);
    out.append(label.name);
    out.push_back(0x12);
    AppendVarint(value, &out);
    out.append(label.value);
  }
}

std::string LabelFieldsText(std::string_view fields, size_t max_bytes) {
  LabelsBuilder builder;
  std::string_view label, name, value;
  while (!fields.empty()) {
    if (!TakeField(fields, 0x0a, &label) || !TakeField(label, 0x0a, &name) ||
        !TakeField(label, 0x12, &value)) {
      return "{}";
    }
    builder.AddView(name, value);
  }
  std::string text = builder.Build().ToString();
  if (text.size() > max_bytes) text.resize(max_bytes);
  return text;
}

uint64_t FamilyHash(const Labels& labels) {
  uint64_t hash = 0;
  for (const Label label : labels) {
    if (label.name == "le" || label.name == "quantile") continue;
    const std::string_view value = label.name == kNameLabel ? FamilyOf(label.value) : label.value;
    hash = XXH3_64bits_withSeed(label.name.data(), label.name.size(), hash);
    hash = XXH3_64bits_withSeed(value.data(), value.size(), hash + 1);
  }
  return hash;
}

std::string LimitRefusal(const Labels& labels, const DestinationLimits& limits) {
  const size_t count = labels.size();
  if (limits.max_label_names_per_series != 0 && count > limits.max_label_names_per_series) {
    return absl::StrCat(count, " labels, the limit is ", limits.max_label_names_per_series,
                        "; candidates to drop: ", DropCandidates(labels));
  }
  for (const Label label : labels) {
    if (limits.max_label_name_length != 0 && label.name.size() > limits.max_label_name_length) {
      return absl::StrCat("a label name of ", label.name.size(), " bytes, the limit is ",
                          limits.max_label_name_length, "; candidate to drop: ",
                          std::string(label.name.substr(0, kMaxNameInWords)));
    }
    if (limits.max_label_value_length != 0 && label.value.size() > limits.max_label_value_length) {
      return absl::StrCat("a label value of ", label.value.size(), " bytes, the limit is ",
                          limits.max_label_value_length, "; candidate to drop: ",
                          std::string(label.name.substr(0, kMaxNameInWords)));
    }
  }
  return "";
}

SeriesFate SeriesRenderer::Render(const Labels& series, Labels* rendered) {
  builder_.Reset(series);
  for (const Label label : rules_.external_labels) {
    if (!builder_.Has(label.name)) builder_.Set(label.name, label.value);
  }
  if (!rules_.write_relabel.Apply(builder_)) return SeriesFate::kDropped;
  for (const Label label : enforced_) builder_.Set(label.name, label.value);
  *rendered = builder_.Build();
  return rendered->Has(kNameLabel) ? SeriesFate::kSent : SeriesFate::kDropped;
}

void SeriesRenderer::AppendSent(const Labels& rendered, RenderedLayout& out) {
  const size_t begin = out.label_bytes.size();
  AppendLabelFields(rendered, out.label_bytes);
  const std::string_view bytes = out.label_bytes;
  AppendLabelCopies(bytes.substr(previous_begin_, begin - previous_begin_), bytes.substr(begin),
                    out.copies);
  previous_begin_ = begin;
}

void SeriesRenderer::Append(const Labels& series, RenderedLayout& out) {
  if (out.offsets.empty()) out.offsets.push_back(0);
  if (out.copy_offsets.empty()) out.copy_offsets.push_back(0);
  Labels rendered;
  SeriesFate fate = Render(series, &rendered);
  if (fate == SeriesFate::kSent) {
    std::string refusal = LimitRefusal(rendered, rules_.limits);
    if (!refusal.empty()) {
      fate = SeriesFate::kOverLimit;
      if (out.over_limit_examples.size() < kMaxLimitExamples) {
        std::string words(rendered.Get(kNameLabel).substr(0, 2 * kMaxNameInWords));
        words.append(": ").append(refusal);
        if (words.size() > kMaxLimitWords) words.resize(kMaxLimitWords);
        out.over_limit_examples.emplace_back(static_cast<uint32_t>(out.fates.size()),
                                             std::move(words));
      }
    }
  }
  if (fate == SeriesFate::kSent) AppendSent(rendered, out);
  out.copy_offsets.push_back(static_cast<uint32_t>(out.copies.size()));
  out.offsets.push_back(static_cast<uint32_t>(out.label_bytes.size()));
  out.fates.push_back(fate);
  out.families.push_back(fate == SeriesFate::kSent ? FamilyHash(rendered) : 0);
  out.dropped += fate == SeriesFate::kDropped ? 1 : 0;
  out.over_limit += fate == SeriesFate::kOverLimit ? 1 : 0;
}

}  // namespace ampari
