// Looks: which file of the directory is which of the sequence's.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "forwarder/tail/log_name.h"
#include "forwarder/tail/log_sequence.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

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
  no_file_before_ = std::exchange(no_file_in_look_, false);
  look_at_ = absl::InfiniteDuration();
}

// Whether the open, plain file has become another one by that. If it was only cut of what was not
// read, that is counted.
bool LogSequence::IsShorter(TailedFile& file) {
  const uint64_t size = file.source->size();
  const uint64_t read = file.read_upto();
  if (size >= std::max(read, file.last_size)) return false;
  const bool same = file.first_time_ns != 0 && file.source->HeadIsSame();
  if (!same || (size < read && file.written_now())) return true;
  if (size < file.last_size) {
    const uint64_t there = std::max(size, read);
    if (file.last_size > there) CountUnread(file, file.last_size - there);
    file.last_size = size;
  }
  return false;
}

// The open file has become shorter, or begins otherwise than it did.
bool LogSequence::WasRewritten(TailedFile& file) {
  if (!file.source->Refresh().ok()) return false;
  if (IsShorter(file)) return true;
  const LogStamp& stamp = file.source->stamp();
  const bool unchanged = stamp.modified_ns == file.checked_ns;
  file.checked_ns = stamp.modified_ns;
  return !unchanged && !file.source->HeadIsSame();
}

TailedFile* LogSequence::FindByStamp(const ListedLog& listed) {
  for (const auto& file : files_) {
    const bool open_here = file->source && file->source->stamp().same_file(listed.stamp);
    if (!open_here && !file->Knows(listed.stamp)) continue;
    if (!open_here || listed.compressed || !WasRewritten(*file)) return file.get();
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
  if (listed.rank == UINT64_MAX) file.written_look = look_;
  file.where = listed.where;
  file.rank = listed.rank;
  if (!listed.compressed) file.SeeSize(listed.stamp.size, scope_.now);
}

absl::StatusOr<std::unique_ptr<TailedFile>> LogSequence::Open(const ListedLog& listed,
                                                              const LineLimits& limits) {
  // What follows in the look would be read before it.
  const bool no_more = no_file_in_look_ || scope_.open_files >= TailScope::kMaxOpenFiles;
  absl::StatusOr<UniqueFd> fd =
      no_more ? absl::ResourceExhaustedError(
                    absl::StrCat("more than ", TailScope::kMaxOpenFiles, " files of logs are open"))
              : OpenFileBeneath(listed.where);
  if (absl::IsResourceExhausted(fd.status())) {
    no_file_in_look_ = true;
    LookBy(scope_.now + kOpenAgainAfter);
  }
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
  file->grown_at = scope_.now;
  ++scope_.open_files;
  return file;
}

// A Docker line that is longer than the head has its time behind that.
int64_t LogSequence::TimeOfFirstLine(TailedFile& file, const std::string& head) {
  const int64_t time_ns = TimeOfLine(head);
  if (time_ns != 0 || head.size() < kFileHeadBytes || head.front() != '{') return time_ns;
  bool at_end = false;
  const auto n = file.source->ReadAt(0, scope_.buffer, &at_end);
  if (!n.ok()) return 0;
  const std::string_view beginning(scope_.buffer.data(), *n);
  return TimeOfLine(beginning.substr(0, beginning.find('\n')));
}

// What it begins with; nullopt: nothing yet, or for good.
std::optional<std::string> LogSequence::Identify(TailedFile& file, bool final) {
  std::optional<std::string> head = file.source->ReadHead(final);
  if (!head) return std::nullopt;
  file.key = MakeFileKey(pod_, container_, *head);
  file.first_time_ns = TimeOfFirstLine(file, *head);
  file.source->RememberHead(*head);
  file.source->Release();
  return head;
}

absl::Status LogSequence::Meet(const ListedLog& listed, const LineLimits& limits) {
  TailedFile* const known = FindByStamp(listed);
  if (known != nullptr) {
    SeeAs(*known, listed);
    if (known->source || known->finished) return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<TailedFile>> file = Open(listed, limits);
  if (!file.ok()) {
    // One that cannot be opened is as good as gone, or it would hold up those that follow.
    const bool later = absl::IsResourceExhausted(file.status());
    if (known != nullptr && !later) known->look = 0;
    if (!absl::IsNotFound(file.status())) return file.status();
    // Renamed or compressed since: looked for again, before what follows it is read.
    lost_in_look_ = true;
    return absl::OkStatus();
  }
  const std::optional<std::string> head = Identify(**file, listed.compressed);
  if (!head && listed.compressed) {  // it holds nothing, or is being written
    const absl::Status damage = (*file)->source->damage();
    CloseSource(**file);
    return absl::IsDataLoss(damage) ? damage : absl::OkStatus();
  }
  return Settle(*std::move(file), head);
}

bool LogSequence::IsOurs(const TailedFile& file) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&file](const auto& ours) { return ours.get() == &file; });
}

// The same first line does not always make it the same file: it was emptied and written anew, or
// cut, or, where lines have no time, rotated away.
bool LogSequence::IsAnotherGeneration(const TailedFile& known, const TailedFile& candidate) const {
  if (candidate.source->compressed()) return false;
  const LogStamp& stamp = candidate.source->stamp();
  if (known.lost_inode && known.lost_inode->same_file(stamp)) return true;
  const bool timeless = candidate.first_time_ns == 0;
  const bool replaced = !known.written_now() || known.base == candidate.base;
  const bool its_inode = known.KnowsInode(stamp) && stamp.size >= known.last_size;
  return candidate.written_now() && timeless && replaced && !its_inode;
}

// Among the generations of its first line, `head`, it is one that is known, or the next.
absl::Status LogSequence::Settle(std::unique_ptr<TailedFile> candidate,
                                 const std::optional<std::string>& head) {
  std::optional<uint32_t> unused;
  bool another = false;
  for (uint32_t g = 0; head && g < kMaxGenerations; ++g) {
    const FileKey key = MakeFileKey(pod_, container_, *head, g);
    const auto owner = scope_.owners.find(key);
    if (owner == scope_.owners.end()) {
      if (!unused && scope_.book.Find(key) == nullptr) unused = g;
      continue;
    }
    TailedFile& known = *owner->second;
    if (!IsOurs(known)) {
      CloseSource(*candidate);
      return absl::FailedPreconditionError(absl::StrCat("it begins as ", known.where.full(),
                                                        " does, in directories of the same names"));
    }
    if (!IsAnotherGeneration(known, *candidate)) {
      BeTheSame(known, *candidate);
      CloseSource(*candidate);
      return absl::OkStatus();
    }
    another = true;
  }
  if (another && !unused) {
    CloseSource(*candidate);
    return absl::FailedPreconditionError(
        absl::StrCat("there are ", kMaxGenerations, " files already that begin alike"));
  }
  if (another) {
    candidate->generation = *unused;
    candidate->key = MakeFileKey(pod_, container_, *head, *unused);
    candidate->cut = candidate->first_time_ns != 0;
  }
  Insert(std::move(candidate));
  return absl::OkStatus();
}

// `candidate` is a copy, or `known` under a name that was not known: it takes the place of a source
// that is missing, or that is but a copy of what is still written.
void LogSequence::BeTheSame(TailedFile& known, TailedFile& candidate) {
  known.look = look_;
  known.absent_since.reset();
  known.Remember(candidate.source->stamp());
  const bool compressed = candidate.source->compressed();
  const bool copied = known.source && !known.source->compressed() && !known.written_now() &&
                      !compressed && candidate.written_now() &&
                      candidate.source->size() >= known.source->size();
  if (copied) CloseSource(known);
  const bool grown = !compressed && candidate.source->size() > known.reader.seen();
  if (known.source || (known.finished && !grown)) return;
  if (compressed) ++scope_.totals.compressed_files;
  if (candidate.written_now()) known.written_look = look_;
  known.source = std::move(candidate.source);
  known.where = candidate.where;
  known.rank = candidate.rank;
  // A copy may lack what was written between it and the emptying.
  const uint64_t there = std::max(known.source->size(), known.reader.seen());
  if (!compressed && there < known.last_size) CountUnread(known, known.last_size - there);
  known.last_size = known.source->size();
  known.grown_at = scope_.now;
  known.counted_from = UINT64_MAX;
  known.finished = false;
  known.lost = false;
  // One that was skipped by its beginning's age is in no book.
  known.started = known.started && scope_.book.Find(*known.key) != nullptr;
}

void LogSequence::Insert(std::unique_ptr<TailedFile> file) {
  if (file->source->compressed()) ++scope_.totals.compressed_files;
  file->serial = next_serial_++;
  file->look = look_;
  if (file->written_now()) file->written_look = look_;
  file->appeared_later = look_ > 1 && !no_file_before_;
  file->Remember(file->source->stamp());
  if (file->key) {
    scope_.owners[*file->key] = file.get();
    scope_.book.Use(*file->key);
    // It may have been rotated between the listing and its opening: what it was has a name by now.
    if (file->written_now()) lost_in_look_ = true;
  }
  files_.push_back(std::move(file));
}

void LogSequence::Sort() {
  for (const auto& file : files_) file->writing = file->written_look == look_;
  std::stable_sort(files_.begin(), files_.end(),
                   [](const auto& a, const auto& b) { return ComesBefore(*a, *b); });
  CountNewer();
  for (const auto& file : files_) {
    const bool short_and_rotated = !file->key && !file->written_now();
    if ((file->newer > 0 || short_and_rotated) && !file->replaced_at) {
      file->replaced_at = scope_.now;
    }
  }
}

// The name that the runtime writes to has no newer one until the container starts again, whatever
// the clock of its lines does.
void LogSequence::CountNewer() {
  absl::flat_hash_map<uint32_t, size_t> written;  // by restart
  for (const auto& file : files_) {
    if (file->key && file->writing) ++written[file->restart];
  }
  size_t behind = 0, of_later_restarts = 0, of_this_restart = 0;
  uint32_t restart = files_.empty() ? 0 : files_.back()->restart;
  for (size_t i = files_.size(); i-- > 0;) {
    TailedFile& file = *files_[i];
    if (file.restart != restart) {
      of_later_restarts += std::exchange(of_this_restart, 0);
      restart = file.restart;
    }
    const size_t instead = written.contains(restart) ? 1 : 0;
    file.newer = file.writing ? of_later_restarts : std::max(behind, of_later_restarts + instead);
    behind += file.key ? 1 : 0;
    of_this_restart += file.key ? 1 : 0;
  }
}

bool LogSequence::EndLook(bool directory_gone) {
  if (!directory_gone) directory_gone_at_.reset();
  if (directory_gone && !directory_gone_at_) directory_gone_at_ = scope_.now;
  if (!lost_in_look_) {
    for (const auto& file : files_) {
      if (file->look != look_ && !file->absent_since) file->absent_since = scope_.now;
    }
  }
  Sort();
  if (lost_in_look_) return true;
  for (const auto& file : files_) {
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
