#include "forwarder/tail/directory_follower.h"

#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "forwarder/tail/log_name.h"

namespace ampari {
namespace {

constexpr int kLooksAtOnce = 3;              // while files change under our hands
constexpr size_t kMaxRefusedShown = 16;      // of one directory
constexpr size_t kMaxRefusedCounted = 1024;  // of one directory, by name

constexpr int kListingsAtOnce = 5;

bool SameNames(const std::vector<ListedLog>& a, const std::vector<ListedLog>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ListedLog& x, const ListedLog& y) {
                      return x.where == y.where && x.stamp.same_file(y.stamp);
                    });
}

// <namespace>_<pod>_<uid>/<container>: none of the three has an underscore.
bool IsPodLayout(std::string_view directory) {
  const std::string_view pod = OwnerOfDirectory(directory).pod;
  return std::count(pod.begin(), pod.end(), '_') == 2;
}

}  // namespace

DirectoryFollower::DirectoryFollower(RootedPath directory, const LinkRoots& roots, TailScope* scope)
    : scope_(*scope),
      roots_(roots),
      directory_(std::move(directory)),
      path_(directory_.full()),
      pod_layout_(IsPodLayout(path_)) {}

void DirectoryFollower::SetClaims(std::vector<DirectoryClaim> claims) {
  if (claims.empty()) {
    if (!left_at_) left_at_ = scope_.now;
    return;
  }
  left_at_.reset();
  if (!there_) LookSoon();
  if (claims == claims_) return;
  claims_ = std::move(claims);
  for (auto& [name, sequence] : sequences_) {
    if (sequence.files->empty()) continue;
    const DirectoryClaim* const claim = ClaimOf(sequence.files->files().front()->base);
    if (claim != nullptr) sequence.target = claim->target;
  }
  LookSoon();
}

const DirectoryClaim* DirectoryFollower::ClaimOf(std::string_view base) const {
  for (const DirectoryClaim& claim : claims_) {
    if (claim.literal ? claim.pattern == base : MatchName(claim.pattern, base)) return &claim;
  }
  return nullptr;
}

// A container's logs follow one another; elsewhere names are independent.
std::string DirectoryFollower::SequenceOf(std::string_view base) const {
  return pod_layout_ && RestartCount(base) ? std::string() : std::string(base);
}

bool DirectoryFollower::Wanted(std::string_view base) const {
  return ClaimOf(base) != nullptr || bases_.contains(std::string(base));
}

void DirectoryFollower::Refuse(RefusedLog refused) {
  if (refused_once_.size() < kMaxRefusedCounted && refused_once_.insert(refused.path).second) {
    ++scope_.totals.refused_files;
    static LogLimit limit;
    Log(limit, LogLevel::kWarn, "a log file is not read",
        {{"path", refused.path}, {"why", refused.why}});
  }
  if (refused_.size() < kMaxRefusedShown) refused_.push_back(std::move(refused));
}

void DirectoryFollower::Look(bool watched) {
  look_at_ = scope_.now + (watched ? kLookWatched : kLookUnwatched);
  soonest_look_ = scope_.now;
  for (int i = 0; i < kLooksAtOnce; ++i) {
    if (!LookOnce(List())) break;
    if (i + 1 == kLooksAtOnce) look_at_ = std::max(scope_.now + kMinPoll, soonest_look_);
  }
  std::erase_if(sequences_, [](const auto& entry) { return entry.second.files->empty(); });
  KeepBases();
  for (const auto& [name, sequence] : sequences_) {
    look_at_ = std::min(look_at_, sequence.files->look_at());
  }
  if (!there_ && sequences_.empty() && refused_.empty()) look_at_ = scope_.now + kLookMissing;
  ReadSoon();
}

// A listing can miss a file that is renamed meanwhile, and then its successor would be read before
// it: where files changed, two listings must agree.
absl::StatusOr<LogListing> DirectoryFollower::List() {
  absl::StatusOr<LogListing> listing = ListOnce();
  for (int i = 0; i < kListingsAtOnce && listing.ok() && !SameNames(listing->logs, last_listed_);
       ++i) {
    absl::StatusOr<LogListing> next = ListOnce();
    const bool agree = next.ok() && SameNames(listing->logs, next->logs);
    listing = std::move(next);
    if (agree) break;
  }
  if (listing.ok()) last_listed_ = listing->logs;
  return listing;
}

// Every listing defers the next look.
absl::StatusOr<LogListing> DirectoryFollower::ListOnce() {
  absl::StatusOr<LogListing> listing = ListLogs(
      directory_, [this](std::string_view base) { return Wanted(base); }, roots_);
  if (!listing.ok()) return listing;
  soonest_look_ +=
      absl::Milliseconds(static_cast<int64_t>(listing->entries / kEntriesPerMillisecond));
  return listing;
}

// Names that are followed stay wanted when their target has gone; those of files that are gone are
// forgotten.
void DirectoryFollower::KeepBases() {
  bases_.clear();
  for (const auto& [name, sequence] : sequences_) {
    for (const auto& file : sequence.files->files()) bases_.insert(file->base);
  }
}

bool DirectoryFollower::LookOnce(const absl::StatusOr<LogListing>& listing) {
  refused_.clear();
  links_.clear();
  elsewhere_.clear();
  const bool gone = absl::IsNotFound(listing.status());
  if (!listing.ok() && !gone) {
    Refuse({path_, std::string(listing.status().message())});
    look_at_ = std::min(look_at_, scope_.now + kLookUnwatched);
    return false;
  }
  there_ = !gone;
  for (auto& [name, sequence] : sequences_) sequence.files->BeginLook();
  if (!gone) MeetAll(*listing);
  bool again = false;
  for (auto& [name, sequence] : sequences_) again |= sequence.files->EndLook(gone);
  return again;
}

void DirectoryFollower::MeetAll(const LogListing& listing) {
  links_ = listing.links;
  elsewhere_ = listing.elsewhere;
  for (const RefusedLog& refused : listing.refused) Refuse(refused);
  for (const ListedLog& log : listing.logs) {
    const auto [at, is_new] = sequences_.try_emplace(SequenceOf(log.base));
    Sequence& sequence = at->second;
    if (is_new) {
      const DirectoryClaim* const claim = ClaimOf(log.base);
      if (claim == nullptr) {  // it was followed once
        sequences_.erase(at);
        continue;
      }
      sequence.target = claim->target;
      sequence.files = std::make_unique<LogSequence>(path_, &scope_);
      sequence.files->BeginLook();
    }
    const absl::Status s = sequence.files->Meet(log, sequence.target->target.job->lines);
    if (!s.ok()) Refuse({log.where.full(), std::string(s.message())});
  }
}

TurnEnd DirectoryFollower::TurnOf(Sequence& sequence, size_t* budget) {
  const ReadingPlan plan{sequence.target->target.job.get(), sequence.target->lines.get()};
  TurnEnd end = sequence.files->Turn(plan, budget);
  if (end != TurnEnd::kLook) return end;
  LookSoon();
  return TurnEnd::kWaits;
}

TurnEnd DirectoryFollower::Turn() {
  size_t budget = kTurnBytes;
  TurnEnd worst = TurnEnd::kIdle;
  auto at = sequences_.lower_bound(next_sequence_);
  for (size_t seen = 0; seen < sequences_.size(); ++seen) {
    if (at == sequences_.end()) at = sequences_.begin();
    Sequence& sequence = at->second;
    ++at;
    const TurnEnd end = TurnOf(sequence, &budget);
    if (end == TurnEnd::kFull || end == TurnEnd::kMore) {
      next_sequence_ = at == sequences_.end() ? std::string() : at->first;
      ReadSoon();
      idle_ = false;
      return end;
    }
    if (end == TurnEnd::kWaits) worst = end;
    if (sequence.files->look_at() < look_at_) look_at_ = sequence.files->look_at();
  }
  idle_ = worst == TurnEnd::kIdle;
  SetNextTurn(budget < kTurnBytes);
  return worst;
}

// Polls slow down while nothing comes. Slow ones of many directories fall together, so that an idle
// node wakes seldom.
void DirectoryFollower::SetNextTurn(bool busy) {
  poll_ = busy ? kMinPoll : std::min(poll_ * 2, kMaxPoll);
  const absl::Duration grid = std::max(kMinPoll, poll_ / 4);
  turn_at_ = absl::Floor(scope_.now + poll_, grid);
}

void DirectoryFollower::ReadSoon() {
  turn_at_ = scope_.now;
  poll_ = kMinPoll;
}

void DirectoryFollower::Measure() {
  for (auto& [name, sequence] : sequences_) {
    const MeasureEnd end = sequence.files->Measure();
    if (end.look) LookSoon();
    unread_ = unread_ || end.unread;
  }
  if (unread_) idle_ = false;
  SetNextTurn(false);
}

void DirectoryFollower::GoOn() {
  if (std::exchange(unread_, false)) ReadSoon();
}

bool DirectoryFollower::done() const {
  if (touched()) return false;
  if (sequences_.empty()) return left_at_.has_value();
  return left_at_ && idle_ && scope_.now - *left_at_ >= kFollowAfterTarget;
}

bool DirectoryFollower::touched() const {
  for (const auto& [name, sequence] : sequences_) {
    for (const auto& file : sequence.files->files()) {
      if (file->touched) return true;
    }
  }
  return false;
}

}  // namespace ampari
