// Reads a text 0.0.4 body that a simulated target served: independent of the forwarder's parser.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ampari::bench {

// Ordered by name, as label sets are on the wire; __name__ included, empty values too.
using LabelMap = std::map<std::string, std::string, std::less<>>;

struct BodySample {
  std::string_view series;       // name and labels as in the body
  std::string_view family_type;  // of the last TYPE line: counter, histogram, …
  uint64_t value_bits = 0;
};

// Walks the samples in order. Views stay valid as long as the body.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}
  // False at the end or at a line that is no sample (status() tells).
  bool Next(BodySample* sample);
  const absl::Status& status() const { return status_; }

 private:
  std::string_view rest_;
  std::string_view type_;
  absl::Status status_;
};

// name{a="x",b="y"}; InvalidArgument when it is not.
absl::Status ParseSeries(std::string_view series, LabelMap* labels);

// {__name__="up",a="x"} as the region writes it.
std::string CanonicalText(const LabelMap& labels);

}  // namespace ampari::bench
