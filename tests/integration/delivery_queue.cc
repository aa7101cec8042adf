#include "tests/integration/delivery_queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

uint64_t ItemsOf(const Settlement& settlement) {
  uint64_t items = settlement.delivered + settlement.dropped + settlement.uncertain;
  for (const auto& [reason, count] : settlement.rejected) items += count;
  for (const auto& [reason, count] : settlement.expired) items += count;
  for (const AsideFrame& frame : settlement.aside) items += frame.samples;
  return items;
}

}  // namespace

MemoryQueue::MemoryQueue() {
  for (LaneState& lane : lanes_) lane.cursor = 1;
  committer_ = std::thread([this] { Commit(); });
}

MemoryQueue::~MemoryQueue() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  committer_.join();
}

void MemoryQueue::Commit() {
  for (;;) {
    std::deque<std::pair<Settlement, std::function<void()>>> batch;
    std::vector<std::function<void()>> calls;
    std::function<void()> wake;
    {
      MutexLock lock(mu_);
      while (queued_.empty() && intents_.empty() && !wake_due_ && !stopping_) changed_.Wait(mu_);
      if (queued_.empty() && intents_.empty() && !wake_due_) return;
      batch.swap(queued_);
      for (auto& [settlement, done] : batch) {
        Apply(settlement);
        calls.push_back(std::move(done));
      }
      for (auto& [intent, done] : std::exchange(intents_, {})) {
        if (Apply(intent)) calls.push_back(std::move(done));
      }
      if (std::exchange(wake_due_, false)) wake = wake_;
    }
    for (const auto& call : calls) call();
    if (wake) wake();
    MutexLock lock(mu_);
    changed_.NotifyAll();
  }
}

void MemoryQueue::Apply(const Settlement& settlement) {
  LaneState& lane = lanes_[settlement.lane];
  uint64_t items = 0;
  for (uint64_t s = settlement.from; s < settlement.upto && s <= records_.size(); ++s) {
    if (records_[s - 1]->header.lane == settlement.lane) items += records_[s - 1]->header.items;
  }
  if (settlement.from != lane.cursor) totals_.bugs.push_back("begins beside the cursor");
  if (items != ItemsOf(settlement)) totals_.bugs.push_back("other counts");
  if (settlement.upto > claimed_[settlement.lane]) totals_.bugs.push_back("not claimed");
  lane.cursor = settlement.upto;
  if (lane.cursor >= lane.merged_upto) lane.merged_upto = lane.merged_generation = 0;
  ++totals_.settlements;
  totals_.delivered += settlement.delivered;
  totals_.dropped += settlement.dropped;
  totals_.uncertain += settlement.uncertain;
  for (const auto& [reason, count] : settlement.rejected) totals_.rejected[reason] += count;
  for (const auto& [reason, count] : settlement.expired) totals_.expired[reason] += count;
  for (const DeadLetter& letter : settlement.dead_letters) totals_.dead_letters.push_back(letter);
  for (const AsideFrame& frame : settlement.aside) {
    totals_.aside += frame.samples;
    totals_.aside_frames.push_back(frame);
  }
  for (const auto& [instance, sequence] : settlement.settled) {
    totals_.settled[instance] = std::max(totals_.settled[instance], sequence);
  }
}

bool MemoryQueue::Apply(const Intent& intent) {
  LaneState& lane = lanes_[intent.lane];
  if (intent.from != lane.cursor || intent.upto > records_.size() + 1) {
    totals_.bugs.push_back("an intended range begins beside the cursor");
    return false;
  }
  lane.merged_upto = intent.upto;
  lane.merged_generation = intent.generation;
  ++totals_.intents;
  return true;
}

uint64_t MemoryQueue::Register(InstanceNumber instance, const std::vector<Labels>& series) {
  Layout layout;
  layout.size = static_cast<uint32_t>(series.size());
  {
    MutexLock lock(mu_);
    layout.runs = {{false, instances_[instance].next_series, layout.size}};
  }
  return RegisterEdit(instance, std::move(layout), series);
}

uint64_t MemoryQueue::RegisterEdit(InstanceNumber instance, Layout layout,
                                   const std::vector<Labels>& series) {
  MutexLock lock(mu_);
  Instance& owner = instances_[instance];
  RegistrationBlock block;
  block.number = owner.blocks.size() + 1;
  block.first_series = owner.next_series;
  block.series = series;
  block.first_layout = owner.next_layout;
  owner.sizes[owner.next_layout] = layout.size;
  block.layouts = {std::move(layout)};
  owner.next_series += series.size();
  owner.blocks.push_back(std::move(block));
  return owner.next_layout++;
}

uint64_t MemoryQueue::Append(uint32_t lane, InstanceNumber instance,
                             const std::vector<Scrape>& scrapes, int64_t origin_ms) {
  MutexLock lock(mu_);
  Instance& owner = instances_[instance];
  FrameBuilder builder;
  for (const Scrape& scrape : scrapes) {
    builder.Add(scrape, SampleCount(scrape, owner.sizes[scrape.body_layout],
                                    owner.sizes[scrape.report_layout]));
  }
  const uint64_t items = builder.samples();
  std::string frame = builder.Finish(owner.next_frame);
  return Store(lane, instance, std::move(frame), items, origin_ms);
}

uint64_t MemoryQueue::AppendRaw(uint32_t lane, InstanceNumber instance, std::string frame,
                                uint64_t items) {
  MutexLock lock(mu_);
  return Store(lane, instance, std::move(frame), items, 0);
}

uint64_t MemoryQueue::Store(uint32_t lane, InstanceNumber instance, std::string frame,
                            uint64_t items, int64_t origin_ms) {
  auto record = std::make_shared<Record>();
  record->sequence = records_.size() + 1;
  record->header.instance = instance;
  record->header.lane = static_cast<uint8_t>(lane);
  record->header.frame_sequence = instances_[instance].next_frame++;
  record->header.items = items;
  record->header.cumulative_items = accepted_ += items;
  record->header.intake_ms = now_ms_;
  record->header.origin_ms = origin_ms == 0 ? now_ms_ : origin_ms;
  record->frame = std::move(frame);
  records_.push_back(record);
  wake_due_ = true;
  changed_.NotifyAll();
  return record->sequence;
}

void MemoryQueue::Expire(uint32_t lane, uint64_t upto) {
  MutexLock lock(mu_);
  for (uint64_t s = lanes_[lane].cursor; s < upto && s <= records_.size(); ++s) {
    if (records_[s - 1]->header.lane == lane)
      totals_.expired["budget"] += records_[s - 1]->header.items;
  }
  lanes_[lane].cursor = upto;
}

void MemoryQueue::SetNow(int64_t now_ms) {
  MutexLock lock(mu_);
  now_ms_ = now_ms;
}
void MemoryQueue::SetAnnounced(uint32_t lane, std::optional<int64_t> origin_ms) {
  MutexLock lock(mu_);
  announced_[lane] = origin_ms;
}
void MemoryQueue::SetAwaiting(bool awaiting) {
  MutexLock lock(mu_);
  awaiting_ = awaiting;
}
void MemoryQueue::SetEnforced(InstanceNumber instance, Labels labels) {
  MutexLock lock(mu_);
  instances_[instance].enforced = std::move(labels);
}

MemoryQueue::Totals MemoryQueue::totals() const {
  MutexLock lock(mu_);
  return totals_;
}
uint64_t MemoryQueue::accepted() const {
  MutexLock lock(mu_);
  return accepted_;
}

bool MemoryQueue::AllSettled() const {
  for (const RecordPtr& record : records_) {
    if (record->sequence >= lanes_[record->header.lane].cursor) return false;
  }
  return true;
}

bool MemoryQueue::WaitUntilSettled() {
  const absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(mu_);
  while (!AllSettled()) {
    if (absl::Now() > deadline) return false;
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
  return true;
}

bool MemoryQueue::WaitFor(const std::function<bool(const Totals&)>& wanted) {
  const absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(mu_);
  while (!wanted(totals_)) {
    if (absl::Now() > deadline) return false;
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
  return true;
}

std::array<LaneState, kLanes> MemoryQueue::Lanes() const {
  MutexLock lock(mu_);
  return lanes_;
}

absl::StatusOr<std::vector<RecordPtr>> MemoryQueue::Read(uint64_t from, size_t max_bytes,
                                                         uint64_t* next) const {
  MutexLock lock(mu_);
  std::vector<RecordPtr> found;
  size_t bytes = 0;
  *next = from;
  for (uint64_t s = from; s <= records_.size() && (found.empty() || bytes < max_bytes); ++s) {
    found.push_back(records_[s - 1]);
    bytes += records_[s - 1]->frame.size();
    *next = s + 1;
  }
  return found;
}

bool MemoryQueue::Claim(uint32_t lane, uint64_t from, uint64_t upto) {
  MutexLock lock(mu_);
  if (from < lanes_[lane].cursor) return false;
  claimed_[lane] = std::max(claimed_[lane], upto);
  return true;
}

void MemoryQueue::Unclaim(uint32_t lane) {
  MutexLock lock(mu_);
  claimed_[lane] = lanes_[lane].cursor;
}

void MemoryQueue::Settle(Settlement settlement, std::function<void()> done) {
  MutexLock lock(mu_);
  queued_.emplace_back(std::move(settlement), std::move(done));
  changed_.NotifyAll();
}

void MemoryQueue::IntendRange(uint32_t lane, uint64_t from, uint64_t upto, uint64_t generation,
                              std::function<void()> done) {
  MutexLock lock(mu_);
  intents_.emplace_back(Intent{lane, from, upto, generation}, std::move(done));
  changed_.NotifyAll();
}

void MemoryQueue::SetWaker(std::function<void()> wake) {
  MutexLock lock(mu_);
  wake_ = std::move(wake);
}

std::optional<int64_t> MemoryQueue::OldestAnnounced(uint32_t lane) const {
  MutexLock lock(mu_);
  return announced_[lane];
}
bool MemoryQueue::AwaitingProducers() const {
  MutexLock lock(mu_);
  return awaiting_;
}
int64_t MemoryQueue::NowMs() const {
  MutexLock lock(mu_);
  return now_ms_;
}

absl::StatusOr<std::string> MemoryQueue::BlockOfLayout(InstanceNumber instance,
                                                       uint64_t layout) const {
  MutexLock lock(mu_);
  const auto found = instances_.find(instance);
  if (found != instances_.end()) {
    for (const RegistrationBlock& block : found->second.blocks) {
      if (layout >= block.first_layout && layout - block.first_layout < block.layouts.size()) {
        return EncodeRegistration(block);
      }
    }
  }
  return absl::NotFoundError(absl::StrCat("layout ", layout));
}

absl::StatusOr<std::string> MemoryQueue::BlockOfSeries(InstanceNumber instance,
                                                       uint64_t series) const {
  MutexLock lock(mu_);
  const auto found = instances_.find(instance);
  if (found != instances_.end()) {
    for (const RegistrationBlock& block : found->second.blocks) {
      if (series >= block.first_series && series - block.first_series < block.series.size()) {
        return EncodeRegistration(block);
      }
    }
  }
  return absl::NotFoundError(absl::StrCat("series ", series));
}

absl::StatusOr<Labels> MemoryQueue::EnforcedLabels(InstanceNumber instance) const {
  MutexLock lock(mu_);
  const auto found = instances_.find(instance);
  return found == instances_.end() ? Labels() : found->second.enforced;
}

}  // namespace ampari
