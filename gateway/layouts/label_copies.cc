#include "gateway/layouts/label_copies.h"

#include <algorithm>

namespace ampari {
namespace {

// One `labels` field: all of it, and where its name is.
struct Field {
  uint32_t at = 0;
  std::string_view whole, name, value;

  uint32_t name_at() const {
    return static_cast<uint32_t>(name.data() - whole.data());
  }  // within `whole`
  uint32_t value_at() const { return static_cast<uint32_t>(value.data() - whole.data()); }
};

bool TakeSize(std::string_view bytes, size_t& at, size_t* size) {
  *size = 0;
  for (int shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[at++]);
    *size |= size_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return *size <= bytes.size() - at;
  }
  return false;
}

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) { Next(); }
  bool done() const { return done_; }
  const Field& field() const { return field_; }

  void Next() {
    done_ = true;
    const size_t begin = at_;
    size_t size = 0, name_size = 0, value_size = 0;
    if (at_ >= bytes_.size() || bytes_[at_++] != 0x0a || !TakeSize(bytes_, at_, &size)) return;
    const size_t end = at_ + size;
    if (size == 0 || bytes_[at_++] != 0x0a || !TakeSize(bytes_, at_, &name_size)) return;
    const std::string_view name = bytes_.substr(at_, name_size);
    at_ += name_size;
    if (at_ >= end || bytes_[at_++] != 0x12 || !TakeSize(bytes_, at_, &value_size) ||
        at_ + value_size != end)
      return;
    field_ = {static_cast<uint32_t>(begin), bytes_.substr(begin, end - begin), name,
              bytes_.substr(at_, value_size)};
    at_ = end;
    done_ = false;
  }

 private:
  const std::string_view bytes_;
  size_t at_ = 0;
  bool done_ = false;
  Field field_;
};

class CopyList {
 public:
  explicit CopyList(std::vector<LabelCopy>& copies) : copies_(copies), first_(copies.size()) {}

  void Add(uint32_t at, uint32_t from, size_t size) {
    if (std::max(at, from) + size > kMaxReach) return;
    const auto bytes = static_cast<uint16_t>(size);
    if (copies_.size() > first_) {
      LabelCopy& last = copies_.back();
      if (last.at + last.size == at && last.from + last.size == from) {
        last.size = static_cast<uint16_t>(last.size + bytes);
        return;
      }
    }
    if (bytes >= kMinPart)
      copies_.push_back({static_cast<uint16_t>(at), static_cast<uint16_t>(from), bytes});
  }

 private:
  static constexpr uint32_t kMaxReach = 65'535;  // of LabelCopy's numbers
  static constexpr uint32_t kMinPart = 6;        // shorter ones cost as much as they save
  std::vector<LabelCopy>& copies_;
  const size_t first_;
};

// Fields of one name with other values: the name, and what the values share at both ends.
void AddParts(const Field& earlier, const Field& field, CopyList& copies) {
  const std::string_view a = earlier.value, b = field.value;
  const size_t shorter = std::min(a.size(), b.size());
  size_t prefix = 0, suffix = 0;
  while (prefix < shorter && a[prefix] == b[prefix]) ++prefix;
  while (suffix < shorter - prefix && a[a.size() - 1 - suffix] == b[b.size() - 1 - suffix])
    ++suffix;
  if (a.size() == b.size()) {
    copies.Add(field.at, earlier.at, field.value_at() + prefix);
  } else {
    copies.Add(field.at + field.name_at(), earlier.at + earlier.name_at(), field.name.size());
    copies.Add(field.at + field.value_at(), earlier.at + earlier.value_at(), prefix);
  }
  const auto end = static_cast<uint32_t>(field.at + field.whole.size() - suffix);
  copies.Add(end, static_cast<uint32_t>(earlier.at + earlier.whole.size() - suffix), suffix);
}

}  // namespace

void AppendLabelCopies(std::string_view earlier, std::string_view labels,
                       std::vector<LabelCopy>& out) {
  FieldReader before(earlier), now(labels);
  CopyList copies(out);
  for (; !now.done(); now.Next()) {
    while (!before.done() && before.field().name < now.field().name) before.Next();
    if (before.done()) return;
    if (before.field().whole == now.field().whole) {
      copies.Add(now.field().at, before.field().at, now.field().whole.size());
    } else if (before.field().name == now.field().name) {
      AddParts(before.field(), now.field(), copies);
    }
  }
}

}  // namespace ampari
