#include "forwarder/tail/tail_flush.h"

#include <utility>

namespace ampari {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Bytes of the UTF-8 sequence that `text` begins with; 0: none.
size_t SequenceBytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : size;
}

}  // namespace

std::string LogFileDisplayName(std::string_view path) {
  if (path.size() > kMaxLogFileNameBytes) path.remove_prefix(path.size() - kMaxLogFileNameBytes);
  std::string name;
  while (!path.empty()) {
    const size_t size = SequenceBytes(path);
    if (size == 0) {
      name.push_back('?');
    } else {
      name.append(path.substr(0, size));
    }
    path.remove_prefix(size == 0 ? 1 : size);
  }
  return name;
}

void TailFlush::Touch(TailedFile* file, absl::Duration now) {
  if (file->touched) return;
  if (files_.empty()) since_ = now;
  file->touched = true;
  files_.push_back(file);
}

void TailFlush::AddParts() {
  for (TailedFile* file : files_) {
    file->touched = false;
    const BookedPosition booked = *book_.Find(*file->key);
    const LogPosition upto = file->reader.position();
    if (booked.known && booked.at == upto) continue;
    LogFilePart part;
    part.key = std::string(file->key->view());
    part.first = !booked.known;
    part.from = booked.at;
    part.upto = upto;
    if (part.first) part.name = LogFileDisplayName(file->where.full());
    collector_.AddFile(part);
  }
}

bool TailFlush::Push(const std::function<bool(LogFlush)>& push) {
  const std::vector<TailedFile*> files = files_;
  AddParts();
  files_.clear();
  if (collector_.empty()) return true;
  if (push(collector_.Finish(book_.round()))) {
    for (TailedFile* file : files) book_.Pushed(*file->key, file->reader.position());
    return true;
  }
  for (TailedFile* file : files) file->Rewind(book_.Find(*file->key)->at);
  return false;
}

void TailFlush::Drop() {
  for (TailedFile* file : files_) {
    file->touched = false;
    file->Rewind(book_.Find(*file->key)->at);
  }
  files_.clear();
  if (!collector_.empty()) (void)collector_.Finish(0);
}

}  // namespace ampari
