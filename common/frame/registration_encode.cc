#include <algorithm>
#include <numeric>

#include "common/frame/compression.h"
#include "common/frame/registration.h"
#include "common/frame/registration_header.h"
#include "common/frame/registration_symbols.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

// A label that a series has and the series before it has not, as symbols.
struct SetLabel {
  uint32_t name, value;
};

// How one series differs from the one before it.
struct SeriesEdit {
  std::vector<uint32_t> removed;  // positions in the series before
  std::vector<SetLabel> set;
};

// Writes the series of a block. Names are numbered as they come, and in bytewise order once all are
// known.
class SeriesEncoder {
 public:
  void Add(const Labels& previous, const Labels& labels) {
    SeriesEdit edit;
    auto old = previous.begin();
    uint32_t position = 0;
    for (const Label label : labels) {
      while (old != previous.end() && (*old).name < label.name) {
        edit.removed.push_back(position++);
        ++old;
      }
      const bool replaces = old != previous.end() && (*old).name == label.name;
      if (!replaces || (*old).value != label.value) {
        edit.set.push_back({names_.Add(label.name), values_.Add(label.value)});
      }
      if (replaces) {
        ++position;
        ++old;
      }
    }
    for (; old != previous.end(); ++old) edit.removed.push_back(position++);
    edits_.push_back(std::move(edit));
  }

  void Append(std::string* out) const {
    std::vector<std::string_view> sorted = names_.texts();
    std::sort(sorted.begin(), sorted.end());
    AppendSymbols(sorted, out);
    AppendSymbols(values_.texts(), out);
    std::vector<uint32_t> rank(sorted.size());
    for (size_t i = 0; i < rank.size(); ++i) {
      const auto at = std::lower_bound(sorted.begin(), sorted.end(), names_.texts()[i]);
      rank[i] = static_cast<uint32_t>(at - sorted.begin());
    }
    for (const SeriesEdit& edit : edits_) AppendEdit(edit, rank, out);
  }

 private:
  static void AppendEdit(const SeriesEdit& edit, const std::vector<uint32_t>& rank,
                         std::string* out) {
    AppendVarint(edit.removed.size(), out);
    uint32_t next_free = 0;
    for (const uint32_t position : edit.removed) {
      AppendVarint(position - next_free, out);
      next_free = position + 1;
    }
    AppendVarint(edit.set.size(), out);
    for (const SetLabel& label : edit.set) {
      AppendVarint(rank[label.name], out);
      AppendVarint(label.value, out);
    }
  }

  SymbolTable names_;
  SymbolTable values_;
  std::vector<SeriesEdit> edits_;
};

// Runs mostly continue where the one before ended, so a zero is written then. Additions wrap on
// purpose.
void AppendLayout(const Layout& layout, uint64_t first_series, std::string* out) {
  AppendVarint(layout.base, out);
  AppendVarint(layout.size, out);
  AppendVarint(layout.runs.size(), out);
  uint64_t next_series = first_series;
  uint64_t next_position = 0;
  for (const LayoutRun& run : layout.runs) {
    AppendVarint(uint64_t{run.count} << 1 | (run.from_base ? 1 : 0), out);
    uint64_t& next = run.from_base ? next_position : next_series;
    AppendVarint(ZigZag(static_cast<int64_t>(run.first - next)), out);
    next = run.first + run.count;
  }
}

}  // namespace

std::string EncodeRegistration(const RegistrationBlock& block) {
  std::string payload;
  SeriesEncoder series;
  const Labels none;
  for (size_t i = 0; i < block.series.size(); ++i) {
    series.Add(i == 0 ? none : block.series[i - 1], block.series[i]);
  }
  series.Append(&payload);
  for (const Layout& layout : block.layouts) AppendLayout(layout, block.first_series, &payload);
  Check(payload.size() <= kMaxRegistrationRawBytes, "blocks are bounded before they are encoded");

  RegistrationHeader header;
  header.number = block.number;
  header.first_series = block.first_series;
  header.series = static_cast<uint32_t>(block.series.size());
  header.first_layout = block.first_layout;
  header.layouts = static_cast<uint32_t>(block.layouts.size());
  header.raw_bytes = static_cast<uint32_t>(payload.size());
  std::string out(kRegistrationHeaderBytes, '\0');
  void* zstd = NewCompressState();
  CompressAppend(zstd, payload, &out);
  FreeCompressState(zstd);
  StoreRegistrationHeader(header, &out);
  out.shrink_to_fit();
  return out;
}

}  // namespace ampari
