// What the store shows of itself. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/store/settlement.h"

namespace ampari {

// accepted = delivered + pending + rejected + expired + dropped + lost + uncertain, at every
// moment.
struct Ledger {
  uint64_t accepted = 0, delivered = 0, dropped = 0, uncertain = 0, lost = 0;
  uint64_t pending = 0;                   // all of it, set aside included
  std::map<std::string, uint64_t> aside;  // part of pending, by reason
  std::map<std::string, uint64_t> rejected, expired;
  uint64_t pending_frames = 0;
  uint64_t pending_bytes = 0;
  int64_t oldest_pending_intake_ms = 0;  // 0: nothing pending
};

struct DestinationStatus {
  DestinationId id;
  bool removed = false;  // held for 24 h
  Ledger ledger;
};

struct InstanceStatus {
  InstanceNumber number = 0;
  Signal signal = Signal::kMetrics;
  std::string tenant, entry, forwarder_name, instance_hex, peer;
  uint64_t epoch = 0, mark = 0, settled = 0;
  bool connected = false, superseded = false, admitted = false;
  int64_t last_contact_ms = 0;
};

struct StoreStatus {
  std::string store_id_hex;
  bool paused = false;  // the reserve is reached
  uint64_t disk_bytes = 0, max_bytes = 0;
  uint64_t commits_total = 0, committed_frames_total = 0, committed_bytes_total = 0,
           duplicate_frames_total = 0;
  uint64_t rollbacks_total = 0;  // hellos that found acknowledged data missing
  uint64_t reopened_total = 0;
  double fsync_seconds_sum = 0;
  std::vector<std::string>
      alarms;  // what a human must know: holes found at start, rollbacks, clones
  std::vector<DestinationStatus> destinations;
  std::vector<InstanceStatus> instances;
};

struct VerifyProblem {
  std::string what;  // one sentence with queue, range and counts
};

}  // namespace ampari
