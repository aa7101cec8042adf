// TargetCheck: compares what one target served with what was delivered of it, value by value. Pure
// but for reading bodies.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "bench/mesh/scrape_log.h"
#include "bench/verify/delivered.h"
#include "bench/verify/target_labels.h"

namespace ampari::bench {

struct VerifyOptions {
  ExpectedLabels labels;
  int64_t tolerance_ms =
      10'000;                    // between an answer and its samples' timestamp: the scrape timeout
  int64_t give_up_ms = 400;      // a scrape that failed after so long was given up by the scraper
  int64_t from_ms = 0;           // answers before are not looked at
  int64_t until_ms = INT64_MAX;  // answers after may still be on their way
  bool check_stale = false;      // staleness markers of series that vanished and of failed scrapes
  std::set<std::string, std::less<>> ignored_metrics;  // names of series that are not looked at
};

struct VerifyCounts {
  uint64_t scrapes = 0;        // good answers that were looked at
  uint64_t verified = 0;       // arrived whole and exact, once
  uint64_t samples = 0;        // of the verified
  uint64_t failing = 0;        // spoilt answers: nothing may arrive of them
  uint64_t given_up = 0;       // nothing arrived, and the scraper tells that it waited in vain
  uint64_t lost = 0;           // nothing arrived
  uint64_t partial = 0;        // some series are missing
  uint64_t wrong = 0;          // some values differ
  uint64_t extra = 0;          // more samples than the answer had
  uint64_t doubled = 0;        // the same answer at a second timestamp
  uint64_t unexplained = 0;    // timestamps with samples that no answer explains
  uint64_t missing_stale = 0;  // series
  std::vector<std::string> examples;  // at most kMaxExamples

  static constexpr size_t kMaxExamples = 50;
  uint64_t problems() const {
    return lost + partial + wrong + extra + doubled + unexplained + missing_stale;
  }
  void Add(const VerifyCounts& other);
  std::string ToJson() const;
};

class TargetCheck {
 public:
  // All must outlive it. `served` is this target's part of the log, in order.
  TargetCheck(const VerifyOptions& options, const LabelMap& target_labels,
              const DeliveredTarget& delivered);

  // DataLoss when a recorded body cannot be read.
  absl::Status Run(const std::vector<ServedScrape>& served, const BodyFile& bodies);
  const VerifyCounts& counts() const { return counts_; }

 private:
  struct Series {  // as scraped: where its samples are expected
    std::string canonical;
    const std::vector<DeliveredSample>* samples = nullptr;  // null: never arrived
  };
  struct Expected {  // one good answer
    const ServedScrape* scrape = nullptr;
    std::vector<std::pair<uint32_t, uint64_t>> values;  // number in series_, bits
    int64_t timestamp_ms = 0;                           // where it was found; 0: not
    bool failed_after = false;                          // a spoilt answer came next
    bool looked_at = true;                              // false: explains what arrived, no more
  };
  struct Comparison {
    uint64_t equal = 0, missing = 0, different = 0;
    std::string example;
  };

  bool IsIgnored(std::string_view metric) const;
  void CountTimestamps();
  void FindGivenUp();
  absl::Status ReadBody(const ServedScrape& scrape, const BodyFile& bodies);
  absl::StatusOr<uint32_t> Number(const BodySample& sample);
  bool IsExact(const Expected& expected, int64_t timestamp_ms) const;
  Comparison Compare(const Expected& expected, int64_t timestamp_ms) const;
  // Whether a scrape was given up to which an answer of that time can have come; each excuses one.
  bool WasGivenUp(int64_t answered_ms);
  void MatchExact();
  void MatchRest();
  void ExplainLeftOver();
  void CheckStale();
  void Note(const ServedScrape& scrape, const std::string& what);

  const VerifyOptions& options_;
  const LabelMap& target_labels_;
  const DeliveredTarget& delivered_;
  std::vector<Series> series_;
  // As in the body. Like a scraper's cache: where a text was first seen decides its labels.
  std::unordered_map<std::string, uint32_t> by_text_;
  std::unordered_map<std::string, uint32_t> by_labels_;  // canonical
  std::vector<Expected> expected_;
  std::set<int64_t> given_up_;        // timestamps of scrapes
  std::map<int64_t, uint64_t> left_;  // timestamps not yet explained, with their number of samples
  VerifyCounts counts_;
};

}  // namespace ampari::bench
