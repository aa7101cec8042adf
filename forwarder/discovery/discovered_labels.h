// The labels of targets, before and after relabelling, as far as scraped targets and log files have
// them alike. Pure.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/labels/labels.h"

namespace ampari {

// Adds the target's address, its own labels and the group's; of one name the earlier wins. What is
// given must outlive the builder's use.
void AddDiscovered(std::string_view address, const Labels& group, const Labels& own,
                   LabelsBuilder* labels);
void SetIfEmpty(std::string_view name, std::string_view value, LabelsBuilder& labels);

// Those without names beginning with __, and `external` where absent.
Labels PublicLabels(const Labels& internal, const Labels& external);
// InvalidArgument names a value that is not UTF-8.
absl::Status CheckLabelValues(const Labels& labels);

}  // namespace ampari
