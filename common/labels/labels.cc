#include "common/labels/labels.h"

#include <cstring>

#include "common/labels/varint.h"
#include "xxhash.h"

namespace ampari {
namespace {

// Splits the first label off `*rest`; false when the bytes are not a label.
bool ReadLabel(std::string_view* rest, Label* label) {
  return ReadVarintText(rest, &label->name) && ReadVarintText(rest, &label->value);
}

}  // namespace

Labels::Iterator::Iterator(std::string_view rest) : rest_(rest), next_(rest) {
  if (!rest.empty()) ReadLabel(&next_, &label_);
}

Labels::Iterator& Labels::Iterator::operator++() {
  rest_ = next_;
  if (!rest_.empty()) ReadLabel(&next_, &label_);
  return *this;
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.Set(name, value);
  *this = builder.Build();
}

bool Labels::FromBytes(std::string_view bytes, Labels* out) {
  std::string_view rest = bytes;
  std::string_view previous;
  while (!rest.empty()) {
    Label label;
    if (!ReadLabel(&rest, &label)) return false;
    if (label.name.empty() || label.value.empty()) return false;
    if (label.name <= previous) return false;
    previous = label.name;
  }
  out->bytes_.assign(bytes);
  return true;
}

size_t Labels::size() const {
  size_t count = 0;
  for (auto it = begin(); it != end(); ++it) ++count;
  return count;
}

std::string_view Labels::Get(std::string_view name) const {
  for (const Label label : *this) {
    if (label.name == name) return label.value;
    if (label.name > name) break;
  }
  return {};
}

uint64_t Labels::Hash() const { return XXH3_64bits(bytes_.data(), bytes_.size()); }

}  // namespace ampari
