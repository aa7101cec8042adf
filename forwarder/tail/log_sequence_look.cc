// Looks: which file of the directory is which of the sequence's.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "forwarder/tail/log_name.h"
#include "forwarder/tail/log_sequence.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

constexpr uint32_t kMaxGenerations = 16;
constexpr absl::Duration kOpenAgainAfter = absl::Seconds(1);

int64_t TimeOfLine(std::string_view line) {
  RuntimeLine parsed;
  if (ParseCriLine(line, &parsed)) return parsed.time_ns;
  std::string buffer;
  return ParseDockerLine(line, &parsed, &buffer) ? parsed.time_ns : 0;
}

}  // namespace

void LogSequence::BeginLook() {
  ++look_;
  lost_in_look_ = false;
  look_at_ = absl::InfiniteDuration();
}

TailedFile* LogSequence::FindByStamp(const ListedLog& listed) {
  for (const auto& file : files_) {
    const bool open_here = file->source && file->source->stamp().same_file(listed.stamp);
    if (!open_here && !file->Knows(listed.stamp)) continue;
    const bool shrunk =
        open_here && !listed.compressed && file->started && listed.stamp.size < file->reader.seen();
    if (!shrunk) return file.get();
    LoseSource(*file);
    lost_in_look_ = true;
  }
  return nullptr;
}

// One of the file's names: of two, the one that it is read by counts.
void LogSequence::SeeAs(TailedFile& file, const ListedLog& listed) {
  file.look = look_;
  file.absent_since.reset();
  file.Remember(listed.stamp);
  if (file.source && !file.source->stamp().same_file(listed.stamp)) return;
  if (file.written_now() && listed.rank != UINT64_MAX) ++scope_.totals.rotations;
  file.where = listed.where;
  file.rank = listed.rank;
  if (!listed.compressed) file.last_size = std::max(file.last_size, listed.stamp.size);
}

absl::StatusOr<std::unique_ptr<TailedFile>> LogSequence::Open(const ListedLog& listed,
                                                              const LineLimits& limits) {
  if (scope_.open_files >= TailScope::kMaxOpenFiles) {
    LookBy(scope_.now + kOpenAgainAfter);
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", TailScope::kMaxOpenFiles, " files of logs are open"));
  }
  absl::StatusOr<UniqueFd> fd = OpenFileBeneath(listed.where);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<std::unique_ptr<LogSource>> source =
      LogSource::Make(*std::move(fd), listed.compressed);
  if (!source.ok()) return source.status();
  auto file = std::make_unique<TailedFile>(limits);
  file->base = listed.base;
  file->restart = RestartCount(listed.base).value_or(0);
  file->where = listed.where;
  file->rank = listed.rank;
  file->source = *std::move(source);
  file->last_size = file->source->size();
  ++scope_.open_files;
  return file;
}

bool LogSequence::Identify(TailedFile& file, bool final) {
  const std::optional<std::string> head = file.source->ReadHead(final);
  if (!head) return false;
  file.key = MakeFileKey(pod_, container_, *head, file.generation);
  file.first_time_ns = TimeOfLine(*head);
  file.source->RememberHead(*head);
  return true;
}

absl::Status LogSequence::Meet(const ListedLog& listed, const LineLimits& limits) {
  if (TailedFile* file = FindByStamp(listed)) {
    SeeAs(*file, listed);
    if (file->source || file->finished) return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<TailedFile>> file = Open(listed, limits);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();  // renamed since; that is told
  if (!file.ok()) return file.status();
  (void)Identify(**file, listed.compressed);
  return Settle(*std::move(file));
}

// The same first line does not always make it the same file: it was emptied and written anew, or,
// where lines have no time, rotated away.
bool LogSequence::IsAnotherGeneration(const TailedFile& known, const TailedFile& candidate) const {
  if (!candidate.written_now() || candidate.source->compressed()) return false;
  if (candidate.generation + 1 >= kMaxGenerations) return false;
  const bool emptied = known.lost_inode && known.lost_inode->same_file(candidate.source->stamp());
  const bool timeless = candidate.first_time_ns == 0;
  const bool replaced = !known.written_now() || known.base == candidate.base;
  return emptied || (timeless && replaced && !known.KnowsInode(candidate.source->stamp()));
}

absl::Status LogSequence::Settle(std::unique_ptr<TailedFile> candidate) {
  while (candidate->key) {
    const auto owner = scope_.owners.find(*candidate->key);
    if (owner == scope_.owners.end()) break;
    TailedFile& known = *owner->second;
    const bool ours = std::any_of(files_.begin(), files_.end(),
                                  [&known](const auto& file) { return file.get() == &known; });
    if (!ours) {
      CloseSource(*candidate);
      return absl::FailedPreconditionError(absl::StrCat("it begins as ", known.where.full(),
                                                        " does, in directories of the same names"));
    }
    if (!IsAnotherGeneration(known, *candidate)) {
      BeTheSame(known, *candidate);
      CloseSource(*candidate);
      return absl::OkStatus();
    }
    candidate->generation = known.generation + 1;
    (void)Identify(*candidate, candidate->source->compressed());
  }
  Insert(std::move(candidate));
  return absl::OkStatus();
}

// `candidate` is a copy, or `known` under a name that was not known: it takes the place of a source
// that is missing.
void LogSequence::BeTheSame(TailedFile& known, TailedFile& candidate) {
  known.look = look_;
  known.absent_since.reset();
  known.Remember(candidate.source->stamp());
  const bool compressed = candidate.source->compressed();
  const bool grown = !compressed && candidate.source->size() > known.reader.seen();
  if (known.source || (known.finished && !grown)) return;
  if (compressed) ++scope_.totals.compressed_files;
  known.source = std::move(candidate.source);
  known.where = candidate.where;
  known.rank = candidate.rank;
  known.last_size = std::max(known.last_size, known.source->size());
  known.finished = false;
  known.lost = false;
}

void LogSequence::Insert(std::unique_ptr<TailedFile> file) {
  if (file->source->compressed()) ++scope_.totals.compressed_files;
  file->serial = next_serial_++;
  file->look = look_;
  file->appeared_later = look_ > 1;
  file->Remember(file->source->stamp());
  if (file->key) {
    scope_.owners[*file->key] = file.get();
    scope_.book.Use(*file->key);
  }
  files_.push_back(std::move(file));
  Sort();
}

void LogSequence::Sort() {
  std::stable_sort(files_.begin(), files_.end(),
                   [](const auto& a, const auto& b) { return ComesBefore(*a, *b); });
  for (size_t i = 0; i + 1 < files_.size(); ++i) {
    const bool replaced = files_[i + 1]->key.has_value();
    if (replaced && !files_[i]->replaced_at) files_[i]->replaced_at = scope_.now;
  }
  for (const auto& file : files_) {
    const bool short_and_rotated = !file->key && !file->written_now();
    if (short_and_rotated && !file->replaced_at) file->replaced_at = scope_.now;
  }
}

bool LogSequence::EndLook(bool directory_gone) {
  Sort();
  if (!directory_gone) directory_gone_at_.reset();
  if (directory_gone && !directory_gone_at_) directory_gone_at_ = scope_.now;
  if (lost_in_look_) return true;
  for (const auto& file : files_) {
    if (file->look != look_ && !file->absent_since) file->absent_since = scope_.now;
    if (file->finished || file->source || file->lost) continue;
    // It has no source: it is to be had again at the next look, or it is lost.
    const absl::Duration since = file->absent_since.value_or(scope_.now);
    const bool absent = file->absent_since.has_value();
    file->lost = absent && (directory_gone || scope_.now - since >= kLostAfter);
    if (!file->lost) LookBy(since + kLostAfter);
  }
  RetireAbsent();
  return false;
}

}  // namespace ampari
