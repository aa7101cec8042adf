#include "gateway/store/producers.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

std::string Describe(const Instance& instance) {
  return absl::StrCat("forwarder ", instance.forwarder_name, " of ", instance.entry, ", instance ",
                      absl::BytesToHexString(instance.id), " at ", instance.peer);
}

void Refuse(HelloVerdict* verdict, std::string words) {
  verdict->reply.found = HelloFound::kRefused;
  verdict->reply.refused = std::move(words);
}

}  // namespace

Producers::ProducerKey Producers::KeyOf(const Instance& instance) {
  return {instance.entry, instance.forwarder_name, instance.signal};
}

Instance* Producers::Find(InstanceNumber number) {
  auto it = instances_.find(number);
  return it == instances_.end() ? nullptr : it->second.get();
}

const Instance* Producers::Find(InstanceNumber number) const {
  auto it = instances_.find(number);
  return it == instances_.end() ? nullptr : it->second.get();
}

Instance* Producers::Load(Instance instance, const Moment& now) {
  instance.lane = LaneOf(instance.entry, instance.forwarder_name);
  instance.disconnected_at = now.monotonic;
  auto owned = std::make_unique<Instance>(std::move(instance));
  Instance* loaded = owned.get();
  auto [it, fresh] = groups_.try_emplace(KeyOf(*loaded));
  if (fresh) ++names_[loaded->entry][loaded->forwarder_name];
  std::vector<Instance*>& group = it->second.instances;
  group.insert(
      std::upper_bound(group.begin(), group.end(), loaded,
                       [](const Instance* a, const Instance* b) { return a->epoch < b->epoch; }),
      loaded);
  instances_[loaded->number] = std::move(owned);
  return loaded;
}

Instance* Producers::FindById(const HelloRequest& hello) {
  auto group = groups_.find({hello.entry, hello.forwarder_name, hello.signal});
  if (group == groups_.end()) return nullptr;
  for (Instance* instance : group->second.instances) {
    if (instance->id == hello.instance_id && instance->tenant == hello.tenant) return instance;
  }
  return nullptr;
}

// False, with words or the instance to evict, when there is no room for another instance.
bool Producers::Bounded(const HelloRequest& hello, HelloVerdict* verdict) {
  auto group = groups_.find({hello.entry, hello.forwarder_name, hello.signal});
  if (group == groups_.end()) {
    auto names = names_.find(hello.entry);
    if (names == names_.end() || names->second.contains(hello.forwarder_name) ||
        names->second.size() < bounds_.max_producers_per_entry) {
      return true;
    }
    Refuse(verdict, absl::StrCat("entry ", hello.entry, " has ", bounds_.max_producers_per_entry,
                                 " forwarders, which is the limit"));
    return false;
  }
  const std::vector<Instance*>& instances = group->second.instances;
  if (instances.size() < bounds_.max_instances_per_producer) return true;
  for (const Instance* instance : instances) {
    if (instance->connected) continue;
    verdict->evict = instance->number;
    break;
  }
  Refuse(verdict, absl::StrCat("forwarder ", hello.forwarder_name, " has ", instances.size(),
                               " instances, which is the limit"));
  return false;
}

Instance* Producers::Create(const HelloRequest& hello, InstanceNumber number) {
  Instance instance;
  instance.number = number;
  instance.tenant = hello.tenant;
  instance.entry = hello.entry;
  instance.forwarder_name = hello.forwarder_name;
  instance.id = hello.instance_id;
  instance.signal = hello.signal;
  auto group = groups_.find(KeyOf(instance));
  instance.epoch = group == groups_.end() || group->second.instances.empty()
                       ? 1
                       : group->second.instances.back()->epoch + 1;
  return Load(std::move(instance), {});
}

// A known instance: compares what it has seen acknowledged with what is durable.
void Producers::Meet(Instance& instance, const HelloRequest& hello, HelloVerdict* verdict) {
  verdict->reply.found = HelloFound::kKnown;
  if (hello.store_id.empty() || instance.mark >= hello.acknowledged) return;
  verdict->reply.found = HelloFound::kRolledBack;
  verdict->alarms.push_back(absl::StrCat("the store lost acknowledged data: ", Describe(instance),
                                         " has seen ", hello.acknowledged,
                                         " acknowledged, the mark is ", instance.mark));
  uint64_t begin = std::max(hello.first_sequence, hello.settled + 1);
  if (hello.last_sequence < begin) begin = hello.acknowledged + 1;
  if (begin <= instance.mark + 1) return;
  verdict->alarms.push_back(absl::StrCat("frames ", instance.mark + 1, " to ", begin - 1, " of ",
                                         Describe(instance), " are lost"));
  instance.mark = begin - 1;
  verdict->mark_raised = true;
}

HelloVerdict Producers::Hello(const HelloRequest& hello, const std::string& store_id,
                              const Moment& now, InstanceNumber next_number) {
  HelloVerdict verdict;
  bool other_store = !hello.store_id.empty() && hello.store_id != store_id;
  Instance* instance = other_store ? nullptr : FindById(hello);
  if (other_store) {
    verdict.reply.found = HelloFound::kOtherStore;
    return verdict;
  }
  if (instance == nullptr && !hello.store_id.empty()) {
    verdict.reply.found = HelloFound::kForgotten;
    return verdict;
  }
  if (instance == nullptr) {
    if (!Bounded(hello, &verdict)) return verdict;
    instance = Create(hello, next_number);
    verdict.created = true;
    verdict.reply.found = HelloFound::kNew;
  } else {
    Meet(*instance, hello, &verdict);
  }
  instance->peer = hello.peer;
  instance->enforced_labels = hello.enforced_labels;
  instance->draining = hello.draining;
  instance->connected = true;
  instance->drained = false;
  instance->last_contact_ms = now.persisted_ms;
  instance->waiting_since = now.monotonic;
  const Group& group = groups_.at(KeyOf(*instance));
  instance->superseded = SupersededIn(group, *instance, now);
  instance->admitted = AdmittedIn(group, *instance, now);
  verdict.instance = instance;
  verdict.reply.epoch = instance->epoch;
  verdict.reply.mark = instance->mark;
  verdict.reply.settled = instance->settled;
  verdict.reply.superseded = instance->superseded;
  verdict.reply.admitted = instance->admitted;
  return verdict;
}

bool Producers::SupersededIn(const Group& group, const Instance& instance, const Moment& now) {
  for (const Instance* other : group.instances) {
    if (other->epoch <= instance.epoch || other->draining) continue;
    if (other->connected || now.monotonic - other->disconnected_at < kHandOver) return true;
  }
  return false;
}

bool Producers::AdmittedIn(const Group& group, const Instance& instance, const Moment& now) {
  // Log frames are guarded by file positions; a draining instance took nobody's place.
  if (instance.signal == Signal::kLogs || instance.draining) return true;
  if (now.monotonic - instance.waiting_since >= kHandOver) return true;
  for (const Instance* other : group.instances) {
    if (other->epoch < instance.epoch && other->connected && !other->drained) return false;
  }
  return true;
}

void Producers::Disconnected(InstanceNumber number, const Moment& now) {
  Instance* instance = Find(number);
  if (instance == nullptr) return;
  instance->connected = false;
  instance->disconnected_at = now.monotonic;
  instance->last_contact_ms = now.persisted_ms;
}

void Producers::Drained(InstanceNumber number) {
  if (Instance* instance = Find(number)) instance->drained = true;
}

std::vector<StandingChange> Producers::Judge(const Moment& now) {
  std::vector<StandingChange> changes;
  for (auto& [key, group] : groups_) {
    for (Instance* instance : group.instances) {
      if (!instance->connected) continue;
      bool superseded = SupersededIn(group, *instance, now);
      bool admitted = instance->admitted || AdmittedIn(group, *instance, now);
      if (superseded == instance->superseded && admitted == instance->admitted) continue;
      instance->superseded = superseded;
      instance->admitted = admitted;
      changes.push_back({instance->number, superseded, admitted});
    }
  }
  return changes;
}

std::vector<std::string> Producers::Clones(const Moment& now) {
  std::vector<std::string> alarms;
  for (auto& [key, group] : groups_) {
    std::vector<const Instance*> alive;
    for (const Instance* instance : group.instances) {
      if (instance->connected) alive.push_back(instance);
    }
    if (alive.size() < 2) {
      group.together_since = absl::InfiniteDuration();
      group.clone_told = false;
      continue;
    }
    group.together_since = std::min(group.together_since, now.monotonic);
    if (group.clone_told || now.monotonic - group.together_since < kCloneAlarm) continue;
    group.clone_told = true;
    alarms.push_back(absl::StrCat(
        "two instances of one forwarder live side by side: ", Describe(*alive[alive.size() - 2]),
        " and ", Describe(*alive.back())));
  }
  return alarms;
}

std::vector<InstanceNumber> Producers::ForgottenBefore(int64_t horizon_ms) const {
  std::vector<InstanceNumber> numbers;
  for (const auto& [number, instance] : instances_) {
    if (!instance->connected && instance->last_contact_ms < horizon_ms) numbers.push_back(number);
  }
  return numbers;
}

void Producers::Remove(InstanceNumber number) {
  Instance* instance = Find(number);
  if (instance == nullptr) return;
  auto group = groups_.find(KeyOf(*instance));
  std::erase(group->second.instances, instance);
  if (group->second.instances.empty()) {
    auto names = names_.find(instance->entry);
    auto count = names->second.find(instance->forwarder_name);
    if (--count->second == 0) names->second.erase(count);
    if (names->second.empty()) names_.erase(names);
    groups_.erase(group);
  }
  instances_.erase(number);
}

}  // namespace ampari
