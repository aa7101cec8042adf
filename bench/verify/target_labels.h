// What a target's series end up as under Istio's own relabelling (samples/addons/prometheus.yaml,
// job kubernetes-pods): pod labels by labelmap, namespace, pod, node, job and instance,
// honor_labels true.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bench/verify/body_reader.h"

namespace ampari::bench {

struct ExpectedLabels {
  std::string job = "kubernetes-pods";
  LabelMap extra;                // external or enforced labels that the gateway adds; they win
  bool normalise_bounds = true;  // le and quantile as Prometheus 3 writes them
};

// By address (ip:port) from file_sd JSON as `mesh --print-targets` writes it.
absl::StatusOr<std::map<std::string, LabelMap>> ReadTargets(const std::string& json,
                                                            const ExpectedLabels& expected);

// The final label set of one sample: scraped labels that are not empty, then those of the target
// that the series does not name itself.
absl::StatusOr<LabelMap> FinalLabels(const BodySample& sample, const LabelMap& target,
                                     const ExpectedLabels& expected);

}  // namespace ampari::bench
