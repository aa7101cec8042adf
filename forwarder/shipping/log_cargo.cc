#include "forwarder/shipping/log_cargo.h"

#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"

namespace ampari {
namespace {

void Fill(const std::string& key, const LogPosition& at, v1::FilePosition* out) {
  out->set_key(key);
  out->set_out(at.out);
  out->set_err(at.err);
}

}  // namespace

LogCargo::LogCargo(Ring& ring) : ring_(ring) {
  ring_.set_on_crowded_out([this](uint64_t sequence) { OnCrowdedOut(sequence); });
}

std::optional<LogDirections> LogCargo::TakeDirections() {
  return std::exchange(directions_, std::nullopt);
}

bool LogCargo::Takes(uint64_t round) const { return directed_ != 0 && round >= directed_; }

void LogCargo::OnPushed(const std::vector<LogFilePart>& files) {
  for (const LogFilePart& file : files) {
    retirements_.Cancel(file.key);
    const auto known = read_.find(file.key);
    if (known != read_.end()) {
      known->second = file.upto;
    } else if (read_.size() < kMaxFiles) {
      read_.emplace(file.key, file.upto);
    }
  }
}

void LogCargo::Retire(std::vector<std::string> keys) {
  for (const std::string& key : keys) read_.erase(key);
  retirements_.Add(std::move(keys), ring_.last());
}

void LogCargo::OnConnect() {
  round_ = 0;
  stored_.clear();
  due_.clear();
}

void LogCargo::OnPositions(const v1::Positions& positions) {
  for (const v1::FilePosition& file : positions.files()) {
    if (file.key().size() != kLogFileKeyBytes || stored_.size() >= kMaxFiles) continue;
    stored_[file.key()] = {file.out(), file.err()};
  }
}

std::optional<uint64_t> LogCargo::OnWelcomed(const v1::Welcome& welcome) {
  if (welcome.found() == v1::Welcome::FOUND_ROLLED_BACK) {
    offering_ = Offering::kPositions;  // what it lost all of it does not know
    offered_at_ = ring_.acknowledged();
  }
  OnAcknowledged();
  // Where a successor is at work, its positions are the later ones.
  if (welcome.superseded() && offering_ == Offering::kPositionsAnew) {
    offering_ = Offering::kPositions;
  }
  PrepareOffer();
  const std::optional<uint64_t> misfit = FirstMisfit();
  rebuilt_ = 0;
  retirements_.OnStream(stored_, ring_.acknowledged());
  Starts starts;
  if (misfit) {
    std::vector<LogFilePart> parts;
    for (const auto& [key, start] : FirstParts(ring_, *misfit)) {
      parts.push_back({key, !start.known, start.from, start.from, ""});
    }
    starts = Forget(*misfit, Conflicts(stored_, parts), welcome.superseded());
  }
  if (all_due_) {
    DirectAll(std::move(starts), absl::Milliseconds(welcome.producer_age_ms()));
  } else {
    if (!welcome.superseded()) AddDifferences(&starts);
    if (misfit || !starts.empty()) Direct(std::move(starts));
  }
  stored_.clear();
  return misfit;
}

// A store that does not know this forwarder, or lost what it had of it, is told how far the files
// are read. A file that it knows all the same stands as it does there. Only a gateway that is moved
// to forgets it first: what it knows is of an earlier stay.
void LogCargo::PrepareOffer() {
  if (offering_ == Offering::kNothing) return;
  LogPlaces offer = read_;
  for (const auto& [key, start] : FirstParts(ring_, ring_.acknowledged() + 1)) {
    offer[key] = start.from;
  }
  for (const auto& [key, part] : unsettled_) offer[key] = part.from;
  v1::ForwarderMessage retire, positions;
  for (const auto& [key, at] : offer) {
    const auto known = stored_.find(key);
    if (known != stored_.end() && known->second == at) continue;
    if (known != stored_.end()) {
      if (offering_ != Offering::kPositionsAnew) continue;
      retire.mutable_retire()->add_files(key);
    }
    stored_[key] = at;
    Fill(key, at, positions.mutable_offer()->add_files());
    if (positions.offer().files_size() < static_cast<int>(kFilesPerOffer)) continue;
    if (retire.has_retire()) due_.push_back(std::exchange(retire, {}));
    due_.push_back(std::exchange(positions, {}));
  }
  if (retire.has_retire()) due_.push_back(std::move(retire));
  if (positions.has_offer()) due_.push_back(std::move(positions));
}

// The first frame that the gateway would refuse, or that is to be read again. Moves stored_ to
// where the frames before it end.
std::optional<uint64_t> LogCargo::FirstMisfit() {
  for (uint64_t sequence = ring_.acknowledged() + 1; sequence <= ring_.last(); ++sequence) {
    const std::vector<LogFilePart> parts = PartsOf(*ring_.At(sequence).frame);
    if (sequence == rebuilt_ || !Conflicts(stored_, parts).empty()) return sequence;
    for (const LogFilePart& part : parts) stored_[part.key] = part.upto;
  }
  return std::nullopt;
}

// The frames from `from` on will go. Where their files are to be read from.
LogCargo::Starts LogCargo::Forget(uint64_t from, const std::vector<LogConflict>& conflicts,
                                  bool superseded) {
  Starts starts = FirstParts(ring_, from);
  for (const LogConflict& conflict : conflicts) {
    const auto start = starts.find(conflict.key);
    if (start == starts.end()) continue;
    start->second.known = conflict.known;
    if (conflict.known) start->second.from = conflict.stored;
    if (!superseded) continue;
    starts.erase(start);
    read_.erase(conflict.key);
  }
  retirements_.Truncate(from);
  return starts;
}

// Files that the gateway has elsewhere than they were read.
void LogCargo::AddDifferences(Starts* starts) const {
  for (const auto& [key, at] : read_) {
    const auto stored = stored_.find(key);
    if (stored == stored_.end()) {
      starts->try_emplace(key, FileStart{key, at, false});
    } else if (stored->second != at) {
      starts->try_emplace(key, FileStart{key, stored->second, true});
    }
  }
  for (const auto& [key, at] : stored_) {
    if (read_.contains(key) || retirements_.contains(key)) continue;
    starts->try_emplace(key, FileStart{key, at, true});
  }
}

void LogCargo::Direct(Starts starts) {
  for (const auto& [key, start] : starts) {
    retirements_.Cancel(key);
    if (read_.size() < kMaxFiles || read_.contains(key)) read_[key] = start.from;
  }
  if (!directions_) directions_.emplace();
  directions_->round = ++directed_;
  // What was not taken yet counts on, but for files that are told anew.
  for (const FileStart& older : directions_->files) starts.try_emplace(older.key, older);
  directions_->files.clear();
  for (auto& [key, start] : starts) directions_->files.push_back(std::move(start));
}

void LogCargo::DirectAll(Starts starts, absl::Duration producer_age) {
  all_due_ = false;
  AddDifferences(&starts);
  for (const auto& [key, at] : stored_) {
    if (!retirements_.contains(key)) starts.insert_or_assign(key, FileStart{key, at, true});
  }
  directions_.reset();
  read_.clear();
  Direct(std::move(starts));
  directions_->all = true;
  directions_->producer_age = producer_age;
}

// A store that is lost with this frame makes its files be read again, as far as they are there.
void LogCargo::OnCrowdedOut(uint64_t sequence) {
  if (sequence <= ring_.settled()) return;
  for (const LogFilePart& part : PartsOf(*ring_.At(sequence).frame)) {
    const auto known = unsettled_.find(part.key);
    if (known != unsettled_.end()) {
      known->second.last = sequence;
    } else if (unsettled_.size() < kMaxFiles) {
      unsettled_.emplace(part.key, UnsettledPart{part.from, sequence});
    }
  }
}

void LogCargo::OnAcknowledged() {
  if (ring_.acknowledged() > offered_at_) offering_ = Offering::kNothing;
  const uint64_t settled = ring_.settled();
  if (settled > settled_) {
    absl::erase_if(unsettled_, [settled](const auto& part) { return part.second.last <= settled; });
    settled_ = settled;
  }
  retirements_.OnAcknowledged(ring_.acknowledged());
}

void LogCargo::OnNewInstance(NewInstance why, uint64_t forget_upto) {
  if (forget_upto > ring_.settled()) unsettled_.clear();  // the store that has it is not lost
  for (auto& [key, part] : unsettled_) part.last = 1;     // until the first frame is settled
  retirements_.Renumber(ring_.Renumber(forget_upto));
  rebuilt_ = settled_ = offered_at_ = 0;
  offering_ = Offering::kNothing;
  if (why == NewInstance::kAloneAgain) all_due_ = true;
  if (why == NewInstance::kUnknown) offering_ = Offering::kPositions;
  if (why == NewInstance::kOtherGateway) offering_ = Offering::kPositionsAnew;
}

void LogCargo::OnPositionRefusal(const v1::Refusal& refusal, bool superseded) {
  round_ = refusal.round();
  std::vector<LogConflict> conflicts;
  for (const v1::RefusedFile& file : refusal.files()) {
    conflicts.push_back({file.key(), file.known(), {file.out(), file.err()}});
  }
  Direct(Forget(refusal.sequence(), conflicts, superseded));
}

UnfitFrame LogCargo::OnUnfit(uint64_t sequence, GapReason reason) {
  Log(LogLevel::kError, "a frame of logs is not taken: its lines are read again",
      {{"sequence", sequence},
       {"bytes", ring_.At(sequence).frame->size()},
       {"reason", reason == GapReason::kOversize ? "oversize" : "malformed"}});
  rebuilt_ = sequence;
  return UnfitFrame::kNeedsWelcome;
}

std::optional<Outgoing> LogCargo::Next(uint64_t sent, bool superseded) {
  if (!due_.empty()) {
    const Outgoing first = WholeMessage(due_.front());
    due_.pop_front();
    return first;
  }
  if (superseded) return std::nullopt;
  const std::vector<std::string> keys = retirements_.Next(ring_.acknowledged(), sent);
  if (keys.empty()) return std::nullopt;
  v1::ForwarderMessage message;
  for (const std::string& key : keys) message.mutable_retire()->add_files(key);
  return WholeMessage(message);
}

}  // namespace ampari
