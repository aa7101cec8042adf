#include "gateway/store/live_cache.h"

#include <utility>

namespace ampari {
namespace {

uint64_t Cost(const Record& record) { return record.frame.size() + sizeof(Record) + 64; }

}  // namespace

void LiveCache::Add(Generation queue, RecordPtr record) {
  MutexLock lock(mu_);
  std::deque<RecordPtr>& records = queues_[queue];
  if (!records.empty() && records.back()->sequence + 1 != record->sequence) {
    for (const RecordPtr& old : records) bytes_ -= Cost(*old);
    records.clear();
  }
  bytes_ += Cost(*record);
  order_.emplace_back(queue, record->sequence);
  records.push_back(std::move(record));
  Evict();
}

void LiveCache::Evict() {
  while (bytes_ > max_bytes_ && !order_.empty()) {
    auto [queue, sequence] = order_.front();
    order_.pop_front();
    auto it = queues_.find(queue);
    if (it == queues_.end() || it->second.empty()) continue;
    if (it->second.front()->sequence != sequence) continue;
    bytes_ -= Cost(*it->second.front());
    it->second.pop_front();
  }
}

RecordPtr LiveCache::Find(Generation queue, uint64_t sequence) const {
  MutexLock lock(mu_);
  auto it = queues_.find(queue);
  if (it == queues_.end() || it->second.empty()) return nullptr;
  uint64_t first = it->second.front()->sequence;
  if (sequence < first || sequence - first >= it->second.size()) return nullptr;
  return it->second[sequence - first];
}

std::vector<RecordPtr> LiveCache::Range(Generation queue, uint64_t from, uint64_t end,
                                        size_t max_bytes) const {
  std::vector<RecordPtr> found;
  MutexLock lock(mu_);
  auto it = queues_.find(queue);
  if (it == queues_.end() || it->second.empty()) return found;
  uint64_t first = it->second.front()->sequence;
  if (from < first) return found;
  size_t bytes = 0;
  for (uint64_t at = from - first; at < it->second.size() && first + at < end; ++at) {
    const RecordPtr& record = it->second[at];
    bytes += record->frame.size();
    if (!found.empty() && bytes > max_bytes) break;
    found.push_back(record);
  }
  return found;
}

void LiveCache::Forget(Generation queue) {
  MutexLock lock(mu_);
  auto it = queues_.find(queue);
  if (it == queues_.end()) return;
  for (const RecordPtr& record : it->second) bytes_ -= Cost(*record);
  queues_.erase(it);
}

void LiveCache::Clear() {
  MutexLock lock(mu_);
  queues_.clear();
  order_.clear();
  bytes_ = 0;
}

uint64_t LiveCache::bytes() const {
  MutexLock lock(mu_);
  return bytes_;
}

}  // namespace ampari
