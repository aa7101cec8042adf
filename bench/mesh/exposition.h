// Exposition: one target's body as a list of ready lines whose values move from scrape to scrape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/mesh/random_stream.h"

namespace ampari::bench {

// How a value changes when the body advances by one scrape.
enum class Motion : uint8_t {
  kConstant,
  kStep,     // one more at every scrape: tells scrapes apart
  kCounter,  // sometimes more
  kGauge,    // sometimes another value
};

struct Number {
  bool is_integer = true;
  uint64_t integer = 0;
  double real = 0;
};

inline Number Whole(uint64_t value) { return {true, value, 0}; }
inline Number Real(double value) { return {false, 0, value}; }

inline constexpr int kAlways = -1;  // of no group

// Lines belong to a group or to none; a hidden group's lines are left out and do not move. Not
// thread-safe.
class Exposition {
 public:
  // A line that is no sample, without its newline.
  void Comment(std::string_view line);
  // `series`: name and labels as on the wire.
  void Sample(std::string_view series, Number start, Motion motion, int group = kAlways);
  // Buckets, sum and count of `name`; `labels` as inside the braces; `bounds` ends with "+Inf".
  // `braces`: label-less sum and count are written name{}, as Envoy does.
  void Histogram(std::string_view name, std::string_view labels,
                 const std::vector<std::string_view>& bounds, bool braces, int group = kAlways);

  // Values before their first Advance() are the start values.
  void Advance(RandomStream& random);
  void SetHidden(int group, bool hidden);
  // A group that comes back begins at lower values, as a proxy's evicted series do.
  void ResetGroup(int group);
  bool hidden(int group) const;

  // The body; *samples counts its sample lines.
  std::string Render(size_t* samples) const;

 private:
  struct Line {
    size_t begin = 0;  // in text_
    uint32_t size = 0;
    int group = kAlways;
    int64_t value = -1;  // in values_; -1: a comment
  };
  struct Moving {
    size_t value = 0;
    Motion motion = Motion::kConstant;
    int group = kAlways;
  };
  struct Buckets {
    size_t first = 0;  // in values_; then sum and count
    size_t size = 0;
    int group = kAlways;
  };

  void AddLine(std::string_view text, int group, int64_t value);
  void Observe(const Buckets& buckets, RandomStream& random);

  std::string text_;
  std::vector<Line> lines_;
  std::vector<Number> values_;
  std::vector<Moving> moving_;
  std::vector<Buckets> histograms_;
  std::vector<bool> hidden_;  // by group
};

}  // namespace ampari::bench
