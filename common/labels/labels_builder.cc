#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "common/labels/labels.h"
#include "common/labels/varint.h"

namespace ampari {
namespace {

uint64_t FirstEightBytes(std::string_view text) {
  uint64_t word;
  std::memcpy(&word, text.data(), sizeof word);
  return __builtin_bswap64(word);
}

// As name.compare(): most names differ in their first bytes, which need no call.
int CompareNames(std::string_view a, std::string_view b) {
  static_assert(std::endian::native == std::endian::little);
  if (a.size() < 8 || b.size() < 8) return a.compare(b);
  const uint64_t first_a = FirstEightBytes(a), first_b = FirstEightBytes(b);
  if (first_a != first_b) return first_a < first_b ? -1 : 1;
  return a.substr(8).compare(b.substr(8));
}

}  // namespace

void LabelsBuilder::Reset() {
  labels_.clear();
  if (!owned_.empty()) owned_.clear();
  ordered_ = false;
}

void LabelsBuilder::Reset(const Labels& base) {
  Reset();
  for (const Label label : base) labels_.push_back(label);
}

Label* LabelsBuilder::Find(std::string_view name) {
  for (Label& label : labels_) {
    if (label.name == name) return &label;
  }
  return nullptr;
}

void LabelsBuilder::Set(std::string_view name, std::string_view value) {
  if (value.empty()) return Del(name);
  if (Label* found = Find(name); found != nullptr) {
    if (found->value != value) found->value = owned_.emplace_back(value);
    return;
  }
  const std::string_view owned_value = owned_.emplace_back(value);
  labels_.push_back({owned_.emplace_back(name), owned_value});
  ordered_ = false;
}

void LabelsBuilder::AddView(std::string_view name, std::string_view value) {
  labels_.push_back({name, value});
  ordered_ = false;
}

void LabelsBuilder::Del(std::string_view name) {
  const auto gone = std::remove_if(labels_.begin(), labels_.end(),
                                   [name](const Label& label) { return label.name == name; });
  if (gone == labels_.end()) return;
  labels_.erase(gone, labels_.end());
  ordered_ = false;
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const Label& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

bool LabelsBuilder::Has(std::string_view name) const {
  return std::any_of(labels_.begin(), labels_.end(),
                     [name](const Label& label) { return label.name == name; });
}

// The order of the last set is tried first: series of a family have the same names in the same
// order.
void LabelsBuilder::SortOrder() const {
  if (ordered_) return;
  const auto less = [this](uint32_t a, uint32_t b) {
    const int compared = CompareNames(labels_[a].name, labels_[b].name);
    return compared < 0 || (compared == 0 && a < b);
  };
  const bool guess = order_.size() == labels_.size();
  if (!guess || !std::is_sorted(order_.begin(), order_.end(), less)) {
    order_.resize(labels_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), less);
  }
  ordered_ = true;
}

bool LabelsBuilder::HasDuplicateNames() const {
  SortOrder();
  return std::adjacent_find(order_.begin(), order_.end(), [this](uint32_t a, uint32_t b) {
           return labels_[a].name == labels_[b].name;
         }) != order_.end();
}

Labels LabelsBuilder::Build() const {
  SortOrder();
  size_t bound = 0;
  for (const Label& label : labels_) {
    bound += VarintSize(label.name.size()) + label.name.size() + VarintSize(label.value.size()) +
             label.value.size();
  }
  Labels result;
  result.bytes_.resize(bound);
  char* out = result.bytes_.data();
  std::string_view previous;
  for (const uint32_t index : order_) {
    const Label& label = labels_[index];
    if (label.value.empty() || label.name == previous) continue;
    out = WriteVarintText(WriteVarintText(out, label.name), label.value);
    previous = label.name;
  }
  result.bytes_.resize(static_cast<size_t>(out - result.bytes_.data()));
  return result;
}

}  // namespace ampari
