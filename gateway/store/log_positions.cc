#include "gateway/store/log_positions.h"

#include <algorithm>
#include <utility>

namespace ampari {
namespace {

// Where the file stands for `instance`; null: it is unknown.
const LogPosition* FindFor(const LogProducer& producer, InstanceNumber instance,
                           const std::string& key) {
  const auto known = producer.files.find(key);
  if (known != producer.files.end()) return &known->second.at;
  const RetiredFile* const retired = producer.retired.Find(key, instance);
  return retired == nullptr ? nullptr : &retired->at;
}

}  // namespace

LogProducer& LogPositions::Load(LogProducer producer) {
  numbers_[{producer.entry, producer.forwarder_name}] = producer.number;
  return producers_[producer.number] = std::move(producer);
}

LogProducer& LogPositions::Meet(const std::string& entry, const std::string& forwarder_name,
                                int64_t now_ms, ProducerNumber next_number, bool* created) {
  const auto known = numbers_.find({entry, forwarder_name});
  *created = known == numbers_.end();
  if (!*created) {
    LogProducer& producer = producers_.at(known->second);
    producer.last_contact_ms = std::max(producer.last_contact_ms, now_ms);
    return producer;
  }
  LogProducer producer;
  producer.number = next_number;
  producer.entry = entry;
  producer.forwarder_name = forwarder_name;
  producer.first_contact_ms = producer.last_contact_ms = now_ms;
  return Load(std::move(producer));
}

LogProducer* LogPositions::Find(ProducerNumber number) {
  const auto found = producers_.find(number);
  return found == producers_.end() ? nullptr : &found->second;
}

void LogPositions::Remove(ProducerNumber number) {
  const auto found = producers_.find(number);
  if (found == producers_.end()) return;
  numbers_.erase({found->second.entry, found->second.forwarder_name});
  producers_.erase(found);
}

std::vector<ProducerNumber> LogPositions::ForgottenBefore(int64_t horizon_ms) const {
  std::vector<ProducerNumber> forgotten;
  for (const auto& [number, producer] : producers_) {
    if (producer.last_contact_ms < horizon_ms) forgotten.push_back(number);
  }
  return forgotten;
}

bool LogPositions::SweepIsDue(int64_t now_ms) {
  if (now_ms - swept_ms_ < kSweepEveryMs) return false;
  swept_ms_ = now_ms;
  return true;
}

std::vector<RefusedFile> LogPositions::Compare(const LogProducer& producer, InstanceNumber instance,
                                               const std::vector<LogFilePart>& files) {
  std::vector<RefusedFile> refused;
  for (const LogFilePart& file : files) {
    const LogPosition* const stored = FindFor(producer, instance, file.key);
    if (stored == nullptr) {
      if (!file.first) refused.push_back({file.key, false, {}});
    } else if (*stored != file.from) {
      refused.push_back({file.key, true, *stored});
    }
  }
  return refused;
}

bool LogPositions::HasRoom(const LogProducer& producer, const std::vector<LogFilePart>& files) {
  const auto added = std::count_if(files.begin(), files.end(), [&](const LogFilePart& file) {
    return !producer.files.contains(file.key);
  });
  return producer.files.size() + static_cast<size_t>(added) <= kMaxPositionsPerProducer;
}

void LogPositions::Move(LogProducer& producer, const std::vector<LogFilePart>& files) {
  for (const LogFilePart& file : files) {
    LogProducer::File& known = producer.files[file.key];
    known.at = file.upto;
    if (const RetiredFile* const retired = producer.retired.Stored(file.key); retired != nullptr) {
      known.name = retired->name;
      producer.retired.Remove(file.key);
    }
    if (!file.name.empty()) known.name = file.name;
  }
}

std::vector<std::string> LogPositions::Adopt(LogProducer& producer, InstanceNumber instance,
                                             const std::vector<StoredPosition>& offered) {
  std::vector<std::string> adopted;
  for (const StoredPosition& position : offered) {
    if (producer.files.size() >= kMaxPositionsPerProducer) break;
    if (FindFor(producer, instance, position.key) != nullptr) continue;
    producer.files[position.key] = LogProducer::File{position.at, {}};
    producer.retired.Remove(position.key);
    adopted.push_back(position.key);
  }
  return adopted;
}

bool LogPositions::Retire(LogProducer& producer, const std::string& key, InstanceNumber by,
                          InstanceNumber present, int64_t now_ms) {
  auto file = producer.files.extract(key);
  if (file.empty()) return false;
  producer.retired.Add(key, {file.mapped().at, std::move(file.mapped().name), now_ms, by, present});
  return true;
}

std::vector<std::string> LogPositions::BoundRetired(LogProducer& producer) {
  std::vector<std::string> gone;
  while (producer.retired.size() > kMaxRetiredPerProducer) {
    gone.push_back(producer.retired.PopOldest());
  }
  return gone;
}

std::vector<StoredPosition> LogPositions::All(const LogProducer& producer) {
  std::vector<StoredPosition> all;
  all.reserve(producer.files.size());
  for (const auto& [key, file] : producer.files) all.push_back({key, file.at});
  return all;
}

}  // namespace ampari
