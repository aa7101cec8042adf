// SimulatedTarget: one pod's metrics endpoint; every answer is one step of its life.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "bench/mesh/exposition.h"
#include "bench/mesh/fault.h"
#include "bench/mesh/pod.h"
#include "bench/mesh/sidecar_body.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

struct TargetBehaviour {
  TrafficOptions traffic;
  bool lognormal_traffic =
      false;         // median 6, 99th percentile 60 combinations, instead of http_combinations
  double churn = 0;  // chance per scrape that a spare combination appears or vanishes
  FaultShares faults;
};

struct TargetAnswer {
  uint64_t step = 0;
  Fault fault = Fault::kNone;
  std::string body;
  size_t told_length = 0;  // for a cut body
  size_t samples = 0;      // of the body before it was spoilt
};

// Thread-safe; deterministic for a seed and the sequence of calls.
class SimulatedTarget {
 public:
  SimulatedTarget(Pod pod, const TargetBehaviour& behaviour, uint64_t seed);

  TargetAnswer Next() ABSL_LOCKS_EXCLUDED(mu_);
  const Pod& pod() const { return pod_; }

 private:
  void Churn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Pod pod_;
  const FaultShares faults_;
  const double churn_;
  Mutex mu_;
  RandomStream random_ ABSL_GUARDED_BY(mu_);
  TrafficOptions traffic_ ABSL_GUARDED_BY(mu_);
  Exposition exposition_ ABSL_GUARDED_BY(mu_);
  uint64_t step_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ampari::bench
