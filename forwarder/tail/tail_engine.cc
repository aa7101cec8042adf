#include "forwarder/tail/tail_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/logging.h"
#include "forwarder/tail/directory_finder.h"

namespace ampari {

TailEngine::TailEngine(LogTailerOptions options) : options_(std::move(options)) {
  scope_.flush_bytes = options_.flush_bytes;
  scope_.now = options_.clock->Monotonic();
  scope_.wall = options_.clock->Now();
  find_at_ = held_at_ = scope_.now;
  found_at_ = scope_.now - kFindAtMostEvery;
  unused_at_ = absl::InfiniteDuration();
}

TailEngine::~TailEngine() { scope_.flush.Drop(); }

void TailEngine::Apply(LogTargetSet targets) {
  std::map<std::string, std::shared_ptr<TailTarget>> next;
  std::vector<RefusedLog> refused;
  for (LogTarget& target : targets.targets) {
    const std::string path = target.path;
    const std::string id = absl::StrCat(target.job->job_name, "\n", target.id);
    const auto old = targets_.find(id);
    if (old != targets_.end() && old->second->target.job == target.job) {
      next[id] = old->second;
      continue;
    }
    if (next.size() >= kMaxTargets) {
      refused.push_back({path, absl::StrCat("more than ", kMaxTargets, " targets")});
      continue;
    }
    absl::StatusOr<std::shared_ptr<TailTarget>> made =
        TailTarget::Make(std::move(target), &past_counts_);
    if (made.ok()) {
      living_.push_back(*made);
      next[id] = *std::move(made);
    } else {
      refused.push_back({path, std::string(made.status().message())});
    }
  }
  jobs_ = std::set<std::string>(targets.job_names.begin(), targets.job_names.end());
  targets_ = std::move(next);
  std::erase_if(living_, [](const auto& made) { return made.expired(); });
  NoteRefused(std::move(refused), &refused_targets_);
  find_at_ = absl::ZeroDuration();
}

// Counts those that were not refused before.
void TailEngine::NoteRefused(std::vector<RefusedLog> now, std::vector<RefusedLog>* refused) {
  std::set<std::string_view> before;
  for (const RefusedLog& one : *refused) before.insert(one.path);
  for (const RefusedLog& one : now)
    scope_.totals.refused_files += before.contains(one.path) ? 0 : 1;
  *refused = std::move(now);
}

absl::Duration TailEngine::Step() {
  scope_.now = options_.clock->Monotonic();
  scope_.wall = options_.clock->Now();
  TakeDirections();
  SeeChanges();  // also while superseded: a wait ends at once as long as there are some
  if (superseded_) return DirectoryFollower::kMaxPoll;
  if (find_at_ <= scope_.now) FindDirectories();
  LookWhereDue();
  ReadInTurns();
  PushIfDue();
  TellRetired();
  BoundHeldFiles();
  RetireUnused();
  return NextStep();
}

void TailEngine::BeginDrain() {
  for (const auto& [path, follower] : followers_) {
    follower->LookSoon();
    follower->ReadSoon();
  }
}

bool TailEngine::DrainStep() {
  (void)Step();
  if (superseded_ || !scope_.book.told() || !options_.has_room()) return true;
  bool more = false;
  for (const auto& [path, follower] : followers_) more = more || follower->turn_due();
  if (!more && !scope_.flush.empty()) more = Push();
  return !more;
}

void TailEngine::TakeDirections() {
  const bool superseded = options_.superseded && options_.superseded();
  if (superseded && !superseded_) scope_.flush.Drop();
  superseded_ = superseded;
  while (auto directions = options_.take_directions()) {
    // What was collected is of an older round.
    scope_.flush.Drop();
    if (directions->all && unused_at_ == absl::InfiniteDuration()) {
      unused_at_ = scope_.now + kRetireUnusedAfter;
    }
    scope_.book.TakeOver(*directions, scope_.wall);
    RewindAll();
  }
}

// Readers go to where the book says they are; files that are done are done no longer when that is
// before their end.
void TailEngine::RewindAll() {
  for (auto& [path, follower] : followers_) {
    bool closed = false;  // what is to be read
    for (auto& [name, sequence] : follower->sequences()) {
      for (const auto& file : sequence.files->files()) {
        const BookedPosition* const booked = file->key ? scope_.book.Find(*file->key) : nullptr;
        if (booked == nullptr) continue;
        scope_.book.Use(*file->key);
        if (file->started && file->Rewind(booked->at)) ++scope_.totals.rereads;
        closed = closed || (!file->finished && !file->source);
      }
    }
    if (closed) follower->LookSoon();
    follower->ReadSoon();
  }
}

void TailEngine::SeeChanges() {
  bool all = false;
  for (const std::string& directory : watch_.TakeChanged(&all)) {
    if (on_the_way_.contains(directory))
      find_at_ = std::min(find_at_, found_at_ + kFindAtMostEvery);
    if (const auto its = followers_.find(directory); its != followers_.end()) {
      its->second->LookSoon();
    }
    const auto links = elsewhere_.equal_range(directory);
    for (auto at = links.first; at != links.second; ++at) {
      const auto its = followers_.find(at->second);
      if (its != followers_.end()) its->second->LookSoon();
    }
  }
  if (!all) return;
  Log(LogLevel::kWarn, "events of directories were lost: all logs are looked for anew");
  find_at_ = absl::ZeroDuration();
  for (auto& [path, follower] : followers_) follower->LookSoon();
}

void TailEngine::FindDirectories() {
  found_at_ = scope_.now;
  find_at_ = scope_.now + (watch_.unwatched() == 0 ? kFindEvery : kFindUnwatched);
  DirectoryFinder finder(options_.links.pods);
  found_.clear();
  for (const auto& [id, target] : targets_) {
    for (const PathGlob& glob : target->globs) {
      for (RootedPath& directory : finder.Find(glob)) {
        auto& [where, claims] = found_[directory.full()];
        where = std::move(directory);
        claims.push_back({target, glob.name, false});
      }
    }
  }
  if (finder.cut()) {
    static LogLimit limit;
    Log(limit, LogLevel::kWarn, "a path of logs leads to too many directories: some are left out",
        {{"most", DirectoryFinder::kMaxFound}});
  }
  NoteRefused(finder.refused(), &refused_directories_);
  for (const RefusedLog& refused : refused_directories_) {
    static LogLimit limit;
    Log(limit, LogLevel::kWarn, "a directory of logs cannot be listed",
        {{"path", refused.path}, {"why", refused.why}});
  }
  on_the_way_ = finder.watched();
  Reconcile();
}

void TailEngine::AddLinkClaims(Claims* claims) const {
  for (const auto& [path, follower] : followers_) {
    for (const LogLink& link : follower->links()) {
      for (const DirectoryClaim& claim : follower->claims()) {
        const bool its =
            claim.literal ? claim.pattern == link.seen_as : MatchName(claim.pattern, link.seen_as);
        if (!its) continue;
        auto& [where, wanted] = (*claims)[link.directory.full()];
        where = link.directory;
        wanted.push_back({claim.target, link.base, true});
        break;
      }
    }
  }
}

void TailEngine::Reconcile() {
  Claims claims = found_;
  AddLinkClaims(&claims);
  for (auto& [path, wanted] : claims) {
    auto& follower = followers_[path];
    if (!follower) {
      follower = std::make_unique<DirectoryFollower>(wanted.first, options_.links, &scope_);
    }
    follower->SetClaims(std::move(wanted.second));
  }
  for (auto at = followers_.begin(); at != followers_.end();) {
    if (!claims.contains(at->first)) at->second->SetClaims({});
    const bool dropped = at->second->left() && HasNoJob(*at->second) && !at->second->touched();
    at = dropped || at->second->done() ? followers_.erase(at) : std::next(at);
  }
  WatchDirectories();
}

// Its jobs left the configuration: what they read is not wanted any more.
bool TailEngine::HasNoJob(const DirectoryFollower& follower) const {
  if (jobs_.empty() && !targets_.empty()) return false;  // not told
  for (const auto& [name, sequence] : follower.sequences()) {
    if (jobs_.contains(sequence.target->target.job->job_name)) return false;
  }
  return true;
}

void TailEngine::WatchDirectories() {
  std::set<std::string> directories = on_the_way_;
  elsewhere_.clear();
  for (const auto& [path, follower] : followers_) {
    directories.insert(path);
    for (const std::string& directory : follower->elsewhere()) {
      directories.insert(directory);
      elsewhere_.emplace(directory, path);
    }
  }
  watch_.Watch(directories);
}

void TailEngine::LookWhereDue() {
  bool reconcile = false;
  for (auto& [path, follower] : followers_) {
    if (!follower->look_due()) continue;
    const std::vector<LogLink> links = follower->links();
    const std::vector<std::string> elsewhere = follower->elsewhere();
    follower->Look(watch_.watches(path));
    reconcile = reconcile || links != follower->links() || elsewhere != follower->elsewhere() ||
                follower->done();
  }
  if (reconcile) Reconcile();
}

}  // namespace ampari
