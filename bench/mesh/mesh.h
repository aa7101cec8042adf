// Mesh: a simulated cluster of sidecars and one istiod, each on its own loopback address with real
// ports and paths.
//
// Two listening sockets (one per port, on all addresses) serve every pod: the address that the
// scraper connected to tells which. Only loopback peers are answered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/mesh/pod.h"
#include "bench/mesh/simulated_target.h"
#include "bench/mesh/targets.h"

namespace ampari::bench {

struct MeshOptions {
  int sidecars = 10;  // at most kMaxSidecars
  int nodes = 1;
  uint64_t seed = 1;
  uint16_t sidecar_port = 0;  // 15020 in a real mesh; 0: any
  uint16_t istiod_port = 0;   // 15014 in a real mesh; 0: any
  TargetBehaviour behaviour;
  absl::Duration slow_answer = absl::Seconds(12);  // of Fault::kSlow
  std::string log_path, bodies_path;               // scrape_log.h; empty: not kept
};

struct MeshCounts {
  uint64_t scrapes = 0, samples = 0, bytes = 0;
};

// Serves from construction to destruction; thread-safe.
class Mesh {
 public:
  static absl::StatusOr<std::unique_ptr<Mesh>> Start(const MeshOptions& options);
  ~Mesh();

  MeshPorts ports() const;
  const std::vector<Pod>& pods() const;
  // See targets.h.
  std::string TargetsJson(const std::string& node = "") const;
  MeshCounts counts() const;

 private:
  class Core;
  explicit Mesh(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari::bench
