#include "bench/region/frame_ranges.h"

#include <charconv>

#include "absl/strings/str_cat.h"

namespace ampari::bench {
namespace {

bool Consume(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

template <typename T>
bool ConsumeNumber(std::string_view* text, T* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

std::string Format(const FrameRange& range) {
  return absl::StrCat(range.queue, ";lane=", range.lane, ";frames=", range.first, "-", range.last);
}

}  // namespace

bool ParseFrameRange(std::string_view text, FrameRange* range) {
  const size_t end = text.find(';');
  if (end == std::string_view::npos || end == 0 || end > 1024) return false;
  range->queue = std::string(text.substr(0, end));
  text.remove_prefix(end);
  return Consume(&text, ";lane=") && ConsumeNumber(&text, &range->lane) &&
         Consume(&text, ";frames=") && ConsumeNumber(&text, &range->first) && Consume(&text, "-") &&
         ConsumeNumber(&text, &range->last) && text.empty() && range->first <= range->last;
}

uint32_t FrameRanges::Number(const FrameRange& range) {
  const std::string text = Format(range);
  MutexLock lock(mu_);
  const auto known = numbers_.find(text);
  if (known != numbers_.end()) return known->second;
  if (ranges_.size() >= kMaxRanges) return kNone;
  ranges_.push_back(range);
  const auto number = static_cast<uint32_t>(ranges_.size());
  numbers_[text] = number;
  return number;
}

bool FrameRanges::ShareAFrame(uint32_t a, uint32_t b) const {
  if (a == kNone || b == kNone || a == b) return true;
  MutexLock lock(mu_);
  const FrameRange& one = ranges_[a - 1];
  const FrameRange& two = ranges_[b - 1];
  return one.queue == two.queue && one.lane == two.lane && one.first <= two.last &&
         two.first <= one.last;
}

std::string FrameRanges::Text(uint32_t number) const {
  if (number == kNone) return "unknown";
  MutexLock lock(mu_);
  return Format(ranges_[number - 1]);
}

}  // namespace ampari::bench
