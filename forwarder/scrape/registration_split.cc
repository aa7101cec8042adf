#include "forwarder/scrape/registration_split.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

// Layouts with more runs than this stand in a block of their own.
constexpr size_t kRunsBesideSeries = size_t{64} << 10;

size_t RunsOf(const RegistrationBlock& block) {
  size_t runs = 0;
  for (const Layout& layout : block.layouts) runs += layout.runs.size();
  return runs;
}

}  // namespace

std::string WhyUnregistrable(const RegistrationBlock& whole) {
  for (const Labels& labels : whole.series) {
    if (labels.bytes().size() <= kMaxBlockLabelBytes) continue;
    return absl::StrCat("a new series has ", labels.bytes().size(), " bytes of labels, at most ",
                        kMaxBlockLabelBytes, " can be registered");
  }
  const size_t runs = RunsOf(whole);
  if (runs <= kMaxBlockRuns) return "";
  return absl::StrCat("the order of the series changed in ", runs, " places, at most ",
                      kMaxBlockRuns, " can be registered");
}

std::vector<RegistrationBlock> SplitRegistration(RegistrationBlock whole) {
  std::vector<RegistrationBlock> blocks;
  const auto add_block = [&](uint64_t first_series) {
    blocks.emplace_back().first_series = first_series;
  };
  add_block(whole.first_series);
  size_t bytes = 0;
  for (size_t i = 0; i < whole.series.size(); ++i) {
    bytes += whole.series[i].bytes().size();
    if (bytes > kMaxBlockLabelBytes) {
      add_block(whole.first_series + i);
      bytes = whole.series[i].bytes().size();
    }
    blocks.back().series.push_back(std::move(whole.series[i]));
  }
  if (!whole.series.empty() && RunsOf(whole) > kRunsBesideSeries) add_block(0);
  blocks.back().first_layout = whole.first_layout;
  blocks.back().layouts = std::move(whole.layouts);
  return blocks;
}

}  // namespace ampari
