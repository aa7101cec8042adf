// Turns and ends: reading the oldest file that is not done, and what becomes of those that are.
#include "forwarder/tail/log_sequence.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"
#include "common/runtime/logging.h"
#include "forwarder/tail/log_start.h"

namespace ampari {

LogSequence::LogSequence(std::string_view directory, TailScope* scope)
    : scope_(*scope),
      pod_(OwnerOfDirectory(directory).pod),
      container_(OwnerOfDirectory(directory).container) {}

LogSequence::~LogSequence() {
  while (!files_.empty()) Remove(files_.size() - 1);
}

TurnEnd LogSequence::Turn(const ReadingPlan& plan, size_t* budget) {
  if (IdentifyWaiting() == TurnEnd::kLook) return TurnEnd::kLook;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i]->finished || !files_[i]->key) continue;
    const TurnEnd end = TurnOf(i, plan, budget);
    if (end != TurnEnd::kIdle || !files_[i]->finished) return end;
  }
  return TurnEnd::kIdle;
}

TurnEnd LogSequence::TurnOf(size_t index, const ReadingPlan& plan, size_t* budget) {
  TailedFile& file = *files_[index];
  if (!file.touched && scope_.flush.has_most_files()) return TurnEnd::kFull;
  if (file.lost && scope_.book.told()) {
    GiveUp(file, plan);
    return TurnEnd::kIdle;
  }
  if (!file.source) return TurnEnd::kIdle;  // the next look finds one, or that it is lost
  if (!scope_.book.told()) return TurnEnd::kWaits;
  const absl::Status there = file.source->Refresh();
  if (!there.ok()) Fail(file, there);
  if (there.ok() && !file.started && !Start(file, plan)) return TurnEnd::kWaits;
  if (file.finished) return TurnEnd::kIdle;
  const TurnEnd end = there.ok() ? ReadOn(file, plan, budget) : TurnEnd::kWaits;
  if (end == TurnEnd::kIdle) file.failing_since.reset();
  if (IsHopeless(file)) {
    GiveUp(file, plan);
    return TurnEnd::kIdle;
  }
  if (end != TurnEnd::kIdle) return end;
  file.end_at = scope_.now;
  if (IsOver(index)) {
    Finish(file, plan);
  } else if (IsQuiet(file) && file.reader.parts_wait()) {
    LetPartsGo(file, plan);
  }
  return TurnEnd::kIdle;
}

// kIdle: it is read to its end.
TurnEnd LogSequence::ReadOn(TailedFile& file, const ReadingPlan& plan, size_t* budget) {
  const bool plain = !file.source->compressed();
  const uint64_t size = file.source->size();
  if (plain && IsShorter(file)) {
    LoseSource(file);
    return TurnEnd::kLook;
  }
  file.SeeSize(size, scope_.now);
  if (plain && size == file.reader.seen()) {
    if (!WasRewritten(file)) return TurnEnd::kIdle;  // it may have its old size
    LoseSource(file);
    return TurnEnd::kLook;
  }
  if (!plain && !file.inflating) {
    if (scope_.inflating >= TailScope::kMaxInflating) return TurnEnd::kWaits;
    file.inflating = true;
    ++scope_.inflating;
  }
  LineOutlet outlet(*plan.lines, scope_.flush.collector(), scope_.flush_bytes);
  const ReadEnd end = file.reader.Read(*file.source, scope_.buffer, outlet, budget);
  TouchIfMoved(file);
  if (end == ReadEnd::kMore || end == ReadEnd::kFull) file.failing_since.reset();
  if (!plain) file.SeeSize(file.reader.seen(), scope_.now);
  switch (end) {
    case ReadEnd::kMore:
      return TurnEnd::kMore;
    case ReadEnd::kFull:
      return TurnEnd::kFull;
    case ReadEnd::kRewritten:
      LoseSource(file);
      return TurnEnd::kLook;
    case ReadEnd::kFailed:
      Fail(file, file.reader.error());
      return TurnEnd::kWaits;
    case ReadEnd::kEnd:
      break;
  }
  const bool cut_is_news = file.cut && file.reader.counts().lines == 0;
  if (!cut_is_news) file.error = std::string(file.source->damage().message());
  return TurnEnd::kIdle;
}

// All that can be: which file is the oldest must be known before one is read.
TurnEnd LogSequence::IdentifyWaiting() {
  for (size_t i = files_.size(); i-- > 0;) {
    if (files_[i]->key) continue;
    const TurnEnd end = IdentifyLate(i);
    if (end == TurnEnd::kLook) return end;
    if (end == TurnEnd::kMore) i = files_.size();  // they stand in another order now
  }
  return TurnEnd::kIdle;
}

// Its first line may have been written by now; a short file that was rotated away gets no more.
// kMore: it became another; kLook: it is none of ours, or may have been rotated since the listing.
TurnEnd LogSequence::IdentifyLate(size_t index) {
  TailedFile& file = *files_[index];
  if (file.lost || !file.source || !file.source->Refresh().ok()) {
    if (!file.lost) return TurnEnd::kIdle;
    Remove(index);
    return TurnEnd::kMore;
  }
  const bool final = IsOver(index);
  file.SeeSize(file.source->size(), scope_.now);
  const std::optional<std::string> head = Identify(file, final);
  if (!head) {
    if (!final) return TurnEnd::kIdle;
    Remove(index);  // empty for good
    return TurnEnd::kMore;
  }
  std::unique_ptr<TailedFile> identified = std::move(files_[index]);
  files_.erase(files_.begin() + static_cast<Files::difference_type>(index));
  TailedFile* const file_now = identified.get();
  const uint64_t look = identified->look, written_look = identified->written_look;
  const size_t before = files_.size();
  if (!Settle(std::move(identified), head).ok()) return TurnEnd::kLook;
  if (files_.size() == before) return TurnEnd::kMore;  // it was one that is known
  file_now->look = look;
  file_now->written_look = written_look;
  file_now->appeared_later = true;  // when it was met it had no line
  Sort();
  return file_now->written_now() ? TurnEnd::kLook : TurnEnd::kMore;
}

// False: the gateway keeps no more positions.
bool LogSequence::Start(TailedFile& file, const ReadingPlan& plan) {
  const BookedPosition* booked = scope_.book.Find(*file.key);
  // A file whose lines have times has a later generation only if it was cut.
  const bool may_be_cut = file.first_time_ns != 0 && !file.source->compressed();
  if (booked == nullptr || may_be_cut || IsBeyond(*booked, file)) {
    if (const BookedPosition* const later = FindGeneration(file)) booked = later;
  }
  if (booked == nullptr && scope_.book.full()) {
    file.error = absl::StrCat("a gateway keeps the positions of ", PositionBook::kMaxPositions,
                              " files of one forwarder: waits until others are gone");
    return false;
  }
  file.started = true;
  if (booked == nullptr) {
    StartUnknown(file, *plan.job);
    return true;
  }
  const LogPosition at = booked->at;
  scope_.book.Use(*file.key);
  file.reader.Resume(at);
  const bool declared_end =
      file.source->compressed() && at.out == at.err && at.out == file.source->size();
  if (!declared_end) return true;
  file.finished = true;  // no need to inflate it
  CloseSource(file);
  return true;
}

// The file is shorter than that.
bool LogSequence::IsBeyond(const BookedPosition& booked, const TailedFile& file) {
  return !file.source->compressed() && std::max(booked.at.out, booked.at.err) > file.source->size();
}

// The gateway may know a file by a later generation: those before it are gone.
const BookedPosition* LogSequence::FindGeneration(TailedFile& file) {
  const std::optional<std::string> head = file.source->ReadHead(true);
  file.source->Release();
  for (uint32_t g = file.generation + 1; head && g < kMaxGenerations; ++g) {
    const FileKey key = MakeFileKey(pod_, container_, *head, g);
    const BookedPosition* booked = scope_.book.Find(key);
    if (booked == nullptr || IsBeyond(*booked, file) || scope_.owners.contains(key)) continue;
    if (scope_.book.Find(*file.key) != nullptr) {
      scope_.retired.emplace_back(file.key->view());
      scope_.book.Forget(*file.key);
      booked = scope_.book.Find(key);
    }
    scope_.owners.erase(*file.key);
    scope_.owners[key] = &file;
    file.key = key;
    file.generation = g;
    return booked;
  }
  return nullptr;
}

void LogSequence::StartUnknown(TailedFile& file, const LogJob& job) {
  const int64_t born_ns = file.first_time_ns != 0 ? file.first_time_ns : file.source->born_ns();
  const bool young =
      file.appeared_later ||
      StartsAtBeginning(job.start, absl::FromUnixNanos(born_ns), scope_.book.first_contact());
  if (young && !file.cut) {
    scope_.book.Begin(*file.key, {});
    return;
  }
  const bool compressed = file.source->compressed();
  const uint64_t end =
      compressed ? file.source->size() : EndOfLastLine(*file.source, scope_.buffer);
  if (file.cut) {
    NoteCut(file);
  } else {
    scope_.totals.skipped_bytes += end - std::min(end, file.skipped_bytes);
    file.skipped_bytes = end;
  }
  file.reader.Resume({end, end});
  if (compressed) {  // it will not grow, and the same rule skips it again
    file.finished = true;
    CloseSource(file);
    return;
  }
  scope_.book.Begin(*file.key, {end, end});
  scope_.flush.Touch(&file, scope_.now);
}

void LogSequence::NoteCut(TailedFile& file) {
  file.error = "it became shorter than what was read of it: it is read on from its end";
  static LogLimit limit;
  Log(limit, LogLevel::kWarn, "a log file was cut: it is read on from its end",
      {{"path", file.where.full()}, {"bytes", file.source->size()}});
}

void LogSequence::Fail(TailedFile& file, const absl::Status& why) {
  file.error = std::string(why.message());
  if (!file.failing_since) file.failing_since = scope_.now;
}

bool LogSequence::IsHopeless(const TailedFile& file) const {
  const bool others_wait = file.newer > 0 || file.absent_since;
  return others_wait && file.failing_since && scope_.now - *file.failing_since >= kGiveUpAfter;
}

// Whether nothing will be written to it any more. It is at its end.
bool LogSequence::IsOver(size_t index) const {
  const TailedFile& file = *files_[index];
  const auto passed = [this](const std::optional<absl::Duration>& since) {
    return since && scope_.now - *since >= kGrace;
  };
  if (file.source->compressed() || passed(directory_gone_at_)) return true;
  const bool left_alone = file.absent_since && IsQuiet(file);
  if (left_alone) return true;
  if (!file.key && file.written_now()) return passed(file.absent_since) && files_.size() > 1;
  if (!file.key) return passed(file.replaced_at);
  return file.newer >= 2 || (file.newer == 1 && passed(file.replaced_at));
}

// Of a container that ended within a line no more may ever come, and its file may stay for days.
void LogSequence::LetPartsGo(TailedFile& file, const ReadingPlan& plan) {
  LineOutlet outlet(*plan.lines, scope_.flush.collector(), scope_.flush_bytes);
  file.reader.FinishParts(outlet);
  TouchIfMoved(file);
}

void LogSequence::Finish(TailedFile& file, const ReadingPlan& plan) {
  LineOutlet outlet(*plan.lines, scope_.flush.collector(), scope_.flush_bytes);
  file.reader.Finish(file.source.get(), scope_.buffer, outlet);
  TouchIfMoved(file);
  file.finished = true;
  if (const absl::Status damage = file.source->damage(); !damage.ok()) {
    // How much a cut file lacks nobody knows.
    if (absl::IsDataLoss(damage)) {
      CountRest(file);
    } else {
      CountUnread(file, 0);
    }
  }
  CloseSource(file);
  if (file.absent_since) LookBy(*file.absent_since + kRetireAfter);
}

// What is unread is gone; parts that wait for their end are all that there is of their lines.
void LogSequence::GiveUp(TailedFile& file, const ReadingPlan& plan) {
  if (!file.started) {
    file.started = true;
    const BookedPosition* const booked = file.key ? scope_.book.Find(*file.key) : nullptr;
    if (booked != nullptr) file.reader.Resume(booked->at);
  }
  CountRest(file);
  if (file.key && scope_.book.Find(*file.key) != nullptr) {
    LineOutlet outlet(*plan.lines, scope_.flush.collector(), scope_.flush_bytes);
    file.reader.Finish(nullptr, scope_.buffer, outlet);
    TouchIfMoved(file);
  }
  file.finished = true;
  file.lost = false;
  CloseSource(file);
  if (!file.absent_since) file.absent_since = scope_.now;
  LookBy(*file.absent_since + kRetireAfter);
}

void LogSequence::CountUnread(TailedFile& file, uint64_t bytes) {
  static LogLimit limit;
  Log(limit, LogLevel::kWarn, "what a log file had left to be read is gone",
      {{"path", file.where.full()}, {"bytes", bytes}, {"why", file.error}});
  file.unread_bytes += bytes;
  scope_.totals.rotated_unread_bytes += bytes;
}

// Once, also where the gateway's position goes back afterwards.
void LogSequence::CountRest(TailedFile& file) {
  const uint64_t offset = file.reader.offset();
  const uint64_t end = std::min(file.last_size, file.counted_from);
  file.counted_from = std::min(end, offset);
  if (end > offset) CountUnread(file, end - offset);
}

void LogSequence::TouchIfMoved(TailedFile& file) {
  const BookedPosition* const booked = scope_.book.Find(*file.key);
  if (booked->at != file.reader.position() || !booked->known) {
    scope_.flush.Touch(&file, scope_.now);
  }
}

MeasureEnd LogSequence::Measure() {
  MeasureEnd end;
  end.look = IdentifyWaiting() == TurnEnd::kLook;
  for (const auto& file : files_) {
    if (!file->source) continue;
    if (file->source->compressed()) {
      end.unread = true;
      continue;
    }
    if (WasRewritten(*file)) {
      LoseSource(*file);
      end.look = true;
      continue;
    }
    file->SeeSize(file->source->size(), scope_.now);
    end.unread = end.unread || file->last_size > file->reader.seen();
  }
  return end;
}

uint64_t LogSequence::held_bytes() const {
  uint64_t held = 0;
  for (const auto& file : files_) {
    if (!file->source || !file->absent_since) continue;
    held += file->last_size - std::min(file->last_size, file->reader.offset());
  }
  return held;
}

bool LogSequence::GiveUpOldestHeld() {
  for (const auto& file : files_) {
    if (!file->source || !file->absent_since || file->lost) continue;
    file->lost = true;
    CloseSource(*file);
    return true;
  }
  return false;
}

// The inode goes on under another identity.
void LogSequence::LoseSource(TailedFile& file) {
  ++scope_.totals.truncations;
  file.lost_inode = file.source->stamp();
  std::erase_if(file.stamps,
                [&file](const LogStamp& known) { return known.same_file(*file.lost_inode); });
  file.look = 0;
  CloseSource(file);
}

void LogSequence::CloseSource(TailedFile& file) {
  if (!file.source) return;
  file.source.reset();
  if (std::exchange(file.inflating, false)) --scope_.inflating;
  Check(scope_.open_files > 0, "every open file was counted");
  --scope_.open_files;
}

void LogSequence::RetireAbsent() {
  for (size_t i = files_.size(); i-- > 0;) {
    TailedFile& file = *files_[i];
    if (!file.finished || !file.absent_since) continue;
    const absl::Duration due =
        directory_gone_at_ ? *directory_gone_at_ : *file.absent_since + kRetireAfter;
    if (scope_.now < due || file.touched) {
      LookBy(std::max(due, scope_.now + kLostAfter));
      continue;
    }
    const std::optional<FileKey> key = file.key;
    const bool may_come_back = file.first_time_ns != 0 && !file.lost_inode;
    Remove(i);
    if (!key || scope_.book.Find(*key) == nullptr) continue;
    // What begins with no time may be another file then.
    if (may_come_back) {
      scope_.book.Lose(*key, scope_.now);
    } else {
      scope_.retired.emplace_back(key->view());
      scope_.book.Forget(*key);
    }
  }
}

void LogSequence::Remove(size_t index) {
  TailedFile& file = *files_[index];
  Check(!file.touched, "what a flush holds stays until it was pushed");
  scope_.totals.lines += file.reader.counts();
  // What was lost stays to be seen at the file that follows.
  if (files_.size() > 1) files_[index == 0 ? 1 : index - 1]->unread_bytes += file.unread_bytes;
  CloseSource(file);
  if (file.key) scope_.book.Leave(*file.key);
  const auto owner = file.key ? scope_.owners.find(*file.key) : scope_.owners.end();
  if (owner != scope_.owners.end() && owner->second == &file) scope_.owners.erase(owner);
  files_.erase(files_.begin() + static_cast<Files::difference_type>(index));
}

}  // namespace ampari
