#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/frame/compression.h"
#include "common/frame/registration.h"
#include "common/frame/registration_header.h"
#include "common/frame/registration_symbols.h"

namespace ampari {
namespace {

absl::Status Malformed(const std::string& what) {
  return absl::DataLossError(absl::StrCat("registration: ", what));
}

// What decoding may still allocate: a few bytes of a block can stand for a long label set.
class Allowance {
 public:
  bool Take(size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  size_t left_ = kMaxRegistrationLabelBytes;
};

struct LabelRef {
  uint32_t name, value;
};

// Applies edits to the label set before. Names ascend by number, as they do by text.
class SeriesDecoder {
 public:
  bool ReadTables(ByteCursor* in) {
    return ReadSymbols(in, &names_) && ReadSymbols(in, &values_) &&
           std::adjacent_find(names_.begin(), names_.end(), std::greater_equal<>()) == names_.end();
  }

  bool Next(ByteCursor* in, Allowance* allowance, Labels* labels) {
    if (!Remove(in) || !Set(in)) return false;
    bytes_.clear();
    size_t size = 0;
    for (const LabelRef& ref : refs_)
      size += names_[ref.name].size() + values_[ref.value].size() + 2;
    if (!allowance->Take(size + sizeof(Labels))) return false;
    for (const LabelRef& ref : refs_) {
      AppendString(names_[ref.name], &bytes_);
      AppendString(values_[ref.value], &bytes_);
    }
    return Labels::FromBytes(bytes_, labels);
  }

 private:
  bool Remove(ByteCursor* in) {
    uint64_t count = 0;
    if (!in->ReadVarint(&count) || count > refs_.size()) return false;
    merged_.clear();
    size_t next = 0;
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t kept = 0;
      if (!in->ReadVarint(&kept) || next >= refs_.size() || kept >= refs_.size() - next)
        return false;
      const auto from = refs_.begin() + static_cast<ptrdiff_t>(next);
      merged_.insert(merged_.end(), from, from + static_cast<ptrdiff_t>(kept));
      next += kept + 1;
    }
    merged_.insert(merged_.end(), refs_.begin() + static_cast<ptrdiff_t>(next), refs_.end());
    refs_.swap(merged_);
    return true;
  }

  bool Set(ByteCursor* in) {
    uint64_t count = 0;
    if (!in->ReadVarint(&count) || count > in->remaining() / 2) return false;
    merged_.clear();
    auto old = refs_.begin();
    uint32_t next_name = 0;
    for (uint64_t i = 0; i < count; ++i) {
      LabelRef ref{};
      if (!in->ReadVarint32(&ref.name) || !in->ReadVarint32(&ref.value)) return false;
      if (ref.name < next_name || ref.name >= names_.size() || ref.value >= values_.size())
        return false;
      next_name = ref.name + 1;
      for (; old != refs_.end() && old->name < ref.name; ++old) merged_.push_back(*old);
      if (old != refs_.end() && old->name == ref.name) ++old;
      merged_.push_back(ref);
    }
    merged_.insert(merged_.end(), old, refs_.end());
    refs_.swap(merged_);
    return true;
  }

  std::vector<std::string_view> names_, values_;
  std::vector<LabelRef> refs_, merged_;
  std::string bytes_;
};

bool ReadRun(ByteCursor* in, uint64_t* next_series, uint64_t* next_position, LayoutRun* run) {
  uint64_t tag = 0, delta = 0;
  if (!in->ReadVarint(&tag) || !in->ReadVarint(&delta) || tag >> 1 > kMaxLayoutPositions)
    return false;
  run->from_base = (tag & 1) != 0;
  run->count = static_cast<uint32_t>(tag >> 1);
  uint64_t& next = run->from_base ? *next_position : *next_series;
  run->first = next + static_cast<uint64_t>(UnZigZag(delta));
  next = run->first + run->count;
  if (run->count == 0 || next < run->first) return false;
  return run->from_base ? next <= kMaxLayoutPositions : run->first != 0;
}

bool ReadLayout(ByteCursor* in, uint64_t first_series, Allowance* allowance, Layout* layout) {
  uint64_t runs = 0, positions = 0, next_series = first_series, next_position = 0;
  if (!in->ReadVarint(&layout->base) || !in->ReadVarint32(&layout->size) ||
      !in->ReadVarint(&runs)) {
    return false;
  }
  if (layout->size > kMaxLayoutPositions || runs > in->remaining() / 2) return false;
  if (!allowance->Take(sizeof(Layout) + runs * sizeof(LayoutRun))) return false;
  layout->runs.resize(runs);
  for (LayoutRun& run : layout->runs) {
    if (!ReadRun(in, &next_series, &next_position, &run)) return false;
    if (run.from_base && layout->base == 0) return false;
    positions += run.count;
  }
  return positions == layout->size;
}

absl::Status ReadPayload(ByteCursor* in, const RegistrationHeader& header,
                         RegistrationBlock* block) {
  SeriesDecoder decoder;
  Allowance allowance;
  if (!decoder.ReadTables(in)) return Malformed("its symbols are malformed");
  for (uint32_t i = 0; i < header.series; ++i) {
    if (!decoder.Next(in, &allowance, &block->series.emplace_back())) {
      return Malformed(absl::StrCat("series ", header.first_series + i, " is malformed"));
    }
  }
  for (uint32_t i = 0; i < header.layouts; ++i) {
    if (!ReadLayout(in, header.first_series, &allowance, &block->layouts.emplace_back())) {
      return Malformed(absl::StrCat("layout ", header.first_layout + i, " is malformed"));
    }
  }
  return in->done() ? absl::OkStatus() : Malformed("bytes follow it");
}

}  // namespace

absl::StatusOr<RegistrationBlock> DecodeRegistration(std::string_view bytes) {
  const absl::StatusOr<RegistrationHeader> header = ParseRegistrationHeader(bytes);
  if (!header.ok()) return header.status();
  std::string payload(header->raw_bytes, '\0');
  void* zstd = NewDecompressState();
  const absl::Status decompressed = DecompressExactly(zstd, bytes.substr(kRegistrationHeaderBytes),
                                                      payload.data(), payload.size());
  FreeDecompressState(zstd);
  if (!decompressed.ok()) return decompressed;
  RegistrationBlock block;
  block.number = header->number;
  block.first_series = header->first_series;
  block.first_layout = header->first_layout;
  ByteCursor in(payload);
  if (absl::Status s = ReadPayload(&in, *header, &block); !s.ok()) return s;
  return block;
}

}  // namespace ampari
