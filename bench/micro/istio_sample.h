// Data as sidecars of a mesh produce it, for micro benchmarks: label sets of Istio's standard
// metrics and values that have counted for a while. Deterministic.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/frame/registration.h"
#include "common/frame/scrape.h"
#include "common/labels/labels.h"

namespace ampari {

// One sidecar: `combinations` of peers and response codes, each with a counter and three histograms
// of 22 series.
class IstioSample {
 public:
  IstioSample(int target, int combinations) : random_(static_cast<uint64_t>(target) + 1) {
    for (int c = 0; c < combinations; ++c) AddCombination(target, c);
  }

  const std::vector<Labels>& series() const { return series_; }
  const std::vector<uint64_t>& values() const { return values_; }

  RegistrationBlock Block() const {
    RegistrationBlock block;
    block.number = block.first_series = block.first_layout = 1;
    block.series = series_;
    const auto size = static_cast<uint32_t>(series_.size());
    block.layouts.push_back({0, size, {{false, 1, size}}});
    return block;
  }

 private:
  void AddCombination(int target, int c) {
    static constexpr const char* kHistograms[] = {
        "istio_request_bytes", "istio_request_duration_milliseconds", "istio_response_bytes"};
    LabelsBuilder labels;
    SetCommon(target, c, &labels);
    // Traffic differs by orders of magnitude from peer to peer.
    const double requests =
        std::floor(std::exp(std::normal_distribution<double>(6.0, 2.5)(random_)));
    labels.Set("__name__", "istio_requests_total");
    Add(labels, requests);
    for (const char* name : kHistograms) AddHistogram(name, requests, labels);
  }

  void AddHistogram(const std::string& name, double requests, LabelsBuilder& labels) {
    static constexpr const char* kBounds[] = {"0.5",    "1",      "5",       "10",      "25",
                                              "50",     "100",    "250",     "500",     "1000",
                                              "2500",   "5000",   "10000",   "30000",   "60000",
                                              "300000", "600000", "1.8e+06", "3.6e+06", "+Inf"};
    labels.Set("__name__", name + "_bucket");
    // Each peer has a distribution of its own around some bucket; beyond it all requests are
    // counted.
    const double centre = std::uniform_real_distribution<double>(2, 12)(random_);
    for (size_t i = 0; i < std::size(kBounds); ++i) {
      labels.Set("le", kBounds[i]);
      const double share = 1 / (1 + std::exp(2 * (centre - static_cast<double>(i))));
      const double noise =
          std::sqrt(requests * share * (1 - share)) * std::normal_distribution<double>()(random_);
      const bool last = i + 1 == std::size(kBounds);
      Add(labels,
          last ? requests : std::floor(std::clamp(requests * share + noise, 0.0, requests)));
    }
    labels.Del("le");
    labels.Set("__name__", name + "_sum");
    const double sum = requests * std::uniform_real_distribution<double>(10, 2000)(random_);
    const bool milliseconds = name.find("milli") != std::string::npos;
    Add(labels, milliseconds ? std::floor(sum * 10) / 10 : std::floor(sum));
    labels.Set("__name__", name + "_count");
    Add(labels, requests);
  }

  static void SetCommon(int target, int c, LabelsBuilder* labels) {
    const std::string app = "service-" + std::to_string(target % 7);
    const std::string peer = "client-" + std::to_string(c / 3);
    const std::string hash = std::to_string(7654321 + target * 7919);
    const std::pair<const char*, std::string> all[] = {
        {"instance", "10.4." + std::to_string(target % 250) + ".17:15020"},
        {"job", "istio-mesh"},
        {"cluster", "prod-eu-1"},
        {"mesh", "prod"},
        {"namespace", "shop"},
        {"pod", app + "-" + hash + "-x" + std::to_string(target)},
        {"reporter", c % 2 == 0 ? "destination" : "source"},
        {"source_workload", peer},
        {"source_workload_namespace", "shop"},
        {"source_canonical_service", peer},
        {"source_canonical_revision", "v1"},
        {"source_app", peer},
        {"source_version", "v1"},
        {"source_principal", "spiffe://cluster.local/ns/shop/sa/" + peer},
        {"source_cluster", "Kubernetes"},
        {"destination_workload", app},
        {"destination_workload_namespace", "shop"},
        {"destination_canonical_service", app},
        {"destination_canonical_revision", "v2"},
        {"destination_app", app},
        {"destination_version", "v2"},
        {"destination_principal", "spiffe://cluster.local/ns/shop/sa/" + app},
        {"destination_service", app + ".shop.svc.cluster.local"},
        {"destination_service_name", app},
        {"destination_service_namespace", "shop"},
        {"destination_cluster", "Kubernetes"},
        {"request_protocol", "http"},
        {"response_code", c % 3 == 0   ? "200"
                          : c % 3 == 1 ? "404"
                                       : "503"},
        {"response_flags", "-"},
        {"connection_security_policy", "mutual_tls"}};
    for (const auto& [name, value] : all) labels->Set(name, value);
  }

  void Add(const LabelsBuilder& labels, double value) {
    series_.push_back(labels.Build());
    values_.push_back(__builtin_bit_cast(uint64_t, value));
  }

  std::mt19937_64 random_;
  std::vector<Labels> series_;
  std::vector<uint64_t> values_;
};

}  // namespace ampari
