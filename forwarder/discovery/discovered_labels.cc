#include "forwarder/discovery/discovered_labels.h"

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {

void AddDiscovered(std::string_view address, const Labels& group, const Labels& own,
                   LabelsBuilder* labels) {
  constexpr std::string_view kAddress = "__address__";
  labels->AddView(kAddress, address);
  // Of a name that is added twice, the builder keeps the first.
  for (const Labels* more : {&own, &group}) {
    for (const Label label : *more) {
      if (label.name != kAddress) labels->AddView(label.name, label.value);
    }
  }
}

void SetIfEmpty(std::string_view name, std::string_view value, LabelsBuilder& labels) {
  if (labels.Get(name).empty()) labels.Set(name, value);
}

Labels PublicLabels(const Labels& internal, const Labels& external) {
  LabelsBuilder labels;
  for (const Label label : internal) {
    if (!label.name.starts_with("__")) labels.AddView(label.name, label.value);
  }
  for (const Label label : external) {
    if (!internal.Has(label.name)) labels.AddView(label.name, label.value);
  }
  return labels.Build();
}

absl::Status CheckLabelValues(const Labels& labels) {
  for (const Label label : labels) {
    if (IsUtf8(label.value)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("invalid label value for ", Quoted(label.name), ": ", Quoted(label.value)));
  }
  return absl::OkStatus();
}

}  // namespace ampari
