// Producers: instances, their epochs and marks, and what a hello is answered (the table
// "Connecting" of FORMAT.md and proto/README.md). Pure memory: no I/O, no clock, no lock; the
// committer writes down what changes.
//
// A producer is (entry, forwarder name); each instance of it is one process's life, kept per
// signal. Among instances of one producer and signal the highest epoch that is not draining
// supersedes the others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "gateway/store/store.h"

namespace ampari {

inline constexpr absl::Duration kHandOver =
    absl::Seconds(60);  // how long a successor, or its admission, is waited for
inline constexpr absl::Duration kCloneAlarm = absl::Minutes(10);

struct Instance {
  InstanceNumber number = 0;
  std::string tenant, entry, forwarder_name, id, peer;
  Signal signal = Signal::kMetrics;
  uint64_t epoch = 0;
  bool draining = false;  // by its last hello
  bool drained = false;   // said so on its last stream
  Labels enforced_labels;
  uint8_t lane = 0;
  // Durable mark and what goes with it.
  uint64_t mark = 0;
  int64_t origin_ms = 0, last_contact_ms = 0;
  uint64_t last_queue_sequence = 0;
  uint64_t settled = 0;  // at every destination; kept by the caller
  // Of this run of the gateway.
  bool connected = false, superseded = false, admitted = true;
  absl::Duration disconnected_at, waiting_since;  // monotonic
};

// Both clocks at one moment.
struct Moment {
  int64_t persisted_ms = 0;
  absl::Duration monotonic;
};

struct ProducerBounds {
  uint32_t max_instances_per_producer = 64;
  uint32_t max_producers_per_entry = 10000;
};

struct HelloVerdict {
  WelcomeReply reply;            // store_id is filled by the caller
  Instance* instance = nullptr;  // null: nobody to take frames from
  bool created = false;
  bool mark_raised = false;  // kRolledBack left a hole in the numbers
  InstanceNumber evict = 0;  // at the bound: this one must go first; then ask again
  std::vector<std::string> alarms;
};

struct StandingChange {
  InstanceNumber number = 0;
  bool superseded = false, admitted = true;
};

class Producers {
 public:
  explicit Producers(ProducerBounds bounds) : bounds_(bounds) {}

  // From the store, at start: as if it had lost its stream at `now`.
  Instance* Load(Instance instance, const Moment& now);
  // `next_number`: given to the instance if one is created.
  HelloVerdict Hello(const HelloRequest& hello, const std::string& store_id, const Moment& now,
                     InstanceNumber next_number);
  void Disconnected(InstanceNumber number, const Moment& now);
  void Drained(InstanceNumber number);
  // Re-judges who supersedes whom and who is admitted: what changed since it was last told.
  std::vector<StandingChange> Judge(const Moment& now);
  // Alarms about producers of which two instances have lived side by side for kCloneAlarm; each
  // told once.
  std::vector<std::string> Clones(const Moment& now);
  // Instances whose last contact is before `horizon_ms`, not connected.
  std::vector<InstanceNumber> ForgottenBefore(int64_t horizon_ms) const;
  void Remove(InstanceNumber number);

  Instance* Find(InstanceNumber number);
  const Instance* Find(InstanceNumber number) const;
  const std::map<InstanceNumber, std::unique_ptr<Instance>>& all() const { return instances_; }

 private:
  using ProducerKey = std::tuple<std::string, std::string, Signal>;
  struct Group {
    std::vector<Instance*> instances;  // by epoch
    absl::Duration together_since = absl::InfiniteDuration();
    bool clone_told = false;
  };

  static ProducerKey KeyOf(const Instance& instance);
  Instance* FindById(const HelloRequest& hello);
  Instance* Create(const HelloRequest& hello, InstanceNumber number);
  bool Bounded(const HelloRequest& hello, HelloVerdict* verdict);
  void Meet(Instance& instance, const HelloRequest& hello, HelloVerdict* verdict);
  static bool SupersededIn(const Group& group, const Instance& instance, const Moment& now);
  static bool AdmittedIn(const Group& group, const Instance& instance, const Moment& now);

  ProducerBounds bounds_;
  std::map<InstanceNumber, std::unique_ptr<Instance>> instances_;
  std::map<ProducerKey, Group> groups_;
  std::map<std::string, std::map<std::string, int>> names_;  // by entry: names and their groups
};

}  // namespace ampari
