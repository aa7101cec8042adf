#include "bench/verify/verify.h"

namespace ampari::bench {

absl::StatusOr<VerifyCounts> Verify(const VerifyOptions& options,
                                    const std::map<std::string, LabelMap>& targets,
                                    const std::vector<ServedScrape>& served, const BodyFile& bodies,
                                    const Delivered& delivered) {
  std::map<std::string, std::vector<ServedScrape>> by_address;
  for (const ServedScrape& scrape : served) by_address[scrape.address].push_back(scrape);
  VerifyCounts all;
  for (const auto& [address, labels] : targets) {
    TargetCheck check(options, labels, delivered.target(address));
    if (absl::Status run = check.Run(by_address[address], bodies); !run.ok()) return run;
    all.Add(check.counts());
  }
  return all;
}

}  // namespace ampari::bench
