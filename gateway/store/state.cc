#include "gateway/store/state.h"

#include <algorithm>
#include <cstdio>

namespace ampari {

uint64_t DestinationRecord::FirstPending() const {
  uint64_t first = kNothingPending;
  for (const LaneCursor& lane : lanes) first = std::min(first, lane.first_pending);
  return first;
}

DestinationRecord* QueueRecord::Find(const std::string& name) {
  for (auto& destination : destinations) {
    if (destination->name == name) return destination.get();
  }
  return nullptr;
}

uint64_t QueueRecord::FirstPending() const {
  uint64_t first = next;
  for (const auto& destination : destinations) first = std::min(first, destination->FirstPending());
  return first;
}

QueueRecord* StoreState::FindQueue(const std::string& tenant, Signal signal) {
  for (auto& [generation, queue] : queues) {
    if (queue.tenant == tenant && queue.signal == signal) return &queue;
  }
  return nullptr;
}

DestinationRecord* StoreState::Find(const DestinationId& id, QueueRecord** queue) {
  QueueRecord* found = FindQueue(id.tenant, id.signal);
  if (queue != nullptr) *queue = found;
  return found == nullptr ? nullptr : found->Find(id.name);
}

std::pair<QueueRecord*, DestinationRecord*> StoreState::FindDestination(Generation generation) {
  for (auto& [number, queue] : queues) {
    for (auto& destination : queue.destinations) {
      if (destination->generation == generation) return {&queue, destination.get()};
    }
  }
  return {nullptr, nullptr};
}

StreamRecord* StoreState::StreamOf(InstanceNumber instance, StreamId* id) {
  auto known = stream_ids.find(instance);
  if (known == stream_ids.end()) return nullptr;
  if (id != nullptr) *id = known->second;
  auto stream = streams.find(known->second);
  return stream == streams.end() ? nullptr : &stream->second;
}

void StoreState::Alarm(std::string words) {
  std::fprintf(stderr, "ALARM: store: %s\n", words.c_str());
  if (alarms.size() >= kMaxAlarms) alarms.erase(alarms.begin());
  alarms.push_back(std::move(words));
}

}  // namespace ampari
