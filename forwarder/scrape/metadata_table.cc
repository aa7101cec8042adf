#include "forwarder/scrape/metadata_table.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ampari {
namespace {

uint64_t HashOf(const FamilyMetadata& metadata) {
  std::string text = metadata.help;
  text.push_back('\0');
  text += metadata.unit;
  text.push_back('\0');
  text.push_back(static_cast<char>(metadata.type));
  return KeyedHash64(text) | 1;
}

// Cut to the bound without splitting a UTF-8 sequence.
std::string Bounded(std::string text) {
  if (text.size() <= kMaxMetadataTextBytes) return text;
  size_t end = kMaxMetadataTextBytes;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

void MetadataTable::BeginScrape(uint32_t scrape, bool open_metrics) {
  scrape_ = scrape;
  next_line_ = 0;
  if (open_metrics_ != open_metrics) lines_.clear();
  open_metrics_ = open_metrics;
}

size_t MetadataTable::TakePredicted(std::string_view rest, MetricType* type) {
  if (next_line_ >= lines_.size()) return 0;
  const KnownLine& line = lines_[next_line_];
  if (rest.size() < line.length || rest[line.length - 1] != '\n') return 0;
  if (KeyedHash64(rest.substr(0, line.length)) != line.hash) return 0;
  ++next_line_;
  if (line.sets_type) *type = line.type;
  if (line.seen != nullptr) *line.seen = scrape_;
  return line.length;
}

uint32_t* MetadataTable::Update(const LexedComment& comment) {
  if (comment.kind == CommentKind::kPlain || comment.kind == CommentKind::kEndOfFile)
    return nullptr;
  const std::string name(comment.family);
  auto found = families_.find(name);
  if (found == families_.end()) {
    if (families_.size() >= kMaxFamilies) return nullptr;
    found = families_.emplace(name, std::make_unique<Family>()).first;
  }
  Family& family = *found->second;
  if (comment.kind == CommentKind::kType) family.type = comment.type;
  if (comment.kind == CommentKind::kHelp)
    family.help = Bounded(UnescapeHelp(comment.text, open_metrics_));
  if (comment.kind == CommentKind::kUnit) family.unit = Bounded(std::string(comment.text));
  family.seen = scrape_;
  if (!family.listed) changed_.push_back(name);
  family.listed = true;
  return &family.seen;
}

// The prediction is rewritten from the first line that differs.
void MetadataTable::Remember(const LexedComment& comment, std::string_view line, uint32_t* seen) {
  if (next_line_ >= kMaxPredictedComments || line.size() > UINT32_MAX) return;
  lines_.resize(std::max(lines_.size(), next_line_ + 1));
  KnownLine& known = lines_[next_line_++];
  known.hash = KeyedHash64(line);
  known.length = static_cast<uint32_t>(line.size());
  known.sets_type = comment.kind == CommentKind::kType;
  known.type = comment.type;
  known.seen = seen;
}

void MetadataTable::Take(const LexedComment& comment, std::string_view line, MetricType* type) {
  if (comment.kind == CommentKind::kType) *type = comment.type;
  Remember(comment, line, Update(comment));
}

std::vector<FamilyMetadata> MetadataTable::EndGoodScrape(size_t max_bytes) {
  std::vector<FamilyMetadata> out;
  std::vector<std::string> waiting;
  size_t bytes = 0;
  for (std::string& name : changed_) {
    Family& family = *families_.at(name);
    FamilyMetadata metadata{name, family.type, family.help, family.unit};
    const uint64_t hash = HashOf(metadata);
    const size_t size =
        kMetadataOverheadBytes + name.size() + family.help.size() + family.unit.size();
    if (hash != family.told && bytes + size > max_bytes) {
      waiting.push_back(std::move(name));
      continue;
    }
    family.listed = false;
    if (hash == family.told) continue;
    family.told = hash;
    bytes += size;
    out.push_back(std::move(metadata));
  }
  changed_ = std::move(waiting);
  Forget();
  return out;
}

void MetadataTable::Forget() {
  if (scrape_ - swept_ < kMetadataKeptScrapes) return;
  swept_ = scrape_;
  const size_t before = families_.size();
  absl::erase_if(families_, [this](const auto& entry) {
    return !entry.second->listed && scrape_ - entry.second->seen > kMetadataKeptScrapes;
  });
  if (families_.size() != before) lines_.clear();
}

void MetadataTable::Clear() { *this = MetadataTable(); }

size_t MetadataTable::memory_bytes() const {
  size_t bytes = lines_.capacity() * sizeof(KnownLine);
  for (const auto& [name, family] : families_) {
    bytes += sizeof(Family) + 2 * name.size() + family->help.size() + family->unit.size();
  }
  return bytes;
}

}  // namespace ampari
