#include "bench/mesh/exposition.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

constexpr double kCounterMoves = 0.35;  // share of the scrapes in which a moving counter moves
constexpr double kGaugeMoves = 0.5;
constexpr double kTrafficMoves = 0.75;

void Append(const Number& number, std::string& out) {
  char text[40];
  char* const end = text + sizeof text;
  if (number.is_integer) {
    out.append(text, std::to_chars(text, end, number.integer).ptr);
  } else if (std::isnan(number.real)) {
    out += "NaN";
  } else {
    out.append(text, std::to_chars(text, end, number.real).ptr);
  }
}

std::string Braced(std::string_view name, std::string_view suffix, std::string_view labels,
                   bool braces) {
  if (labels.empty() && !braces) return absl::StrCat(ToAbsl(name), ToAbsl(suffix));
  return absl::StrCat(ToAbsl(name), ToAbsl(suffix), "{", ToAbsl(labels), "}");
}

}  // namespace

void Exposition::AddLine(std::string_view text, int group, int64_t value) {
  lines_.push_back({text_.size(), static_cast<uint32_t>(text.size()), group, value});
  text_ += text;
  if (group >= 0 && hidden_.size() <= static_cast<size_t>(group))
    hidden_.resize(static_cast<size_t>(group) + 1);
}

void Exposition::Comment(std::string_view line) { AddLine(line, kAlways, -1); }

void Exposition::Sample(std::string_view series, Number start, Motion motion, int group) {
  AddLine(series, group, static_cast<int64_t>(values_.size()));
  if (motion != Motion::kConstant) moving_.push_back({values_.size(), motion, group});
  values_.push_back(start);
}

void Exposition::Histogram(std::string_view name, std::string_view labels,
                           const std::vector<std::string_view>& bounds, bool braces, int group) {
  histograms_.push_back({values_.size(), bounds.size(), group});
  for (const std::string_view bound : bounds) {
    const std::string le = absl::StrCat(labels.empty() ? "" : ",", "le=\"", ToAbsl(bound), "\"");
    Sample(Braced(name, "_bucket", absl::StrCat(ToAbsl(labels), le), true), Whole(0),
           Motion::kConstant, group);
  }
  Sample(Braced(name, "_sum", labels, braces), Real(0), Motion::kConstant, group);
  Sample(Braced(name, "_count", labels, braces), Whole(0), Motion::kConstant, group);
}

void Exposition::Observe(const Buckets& buckets, RandomStream& random) {
  const uint64_t observations = 1 + random.Below(20);
  const size_t lowest = random.Below(buckets.size / 2 + 1);
  for (size_t i = lowest; i < buckets.size; ++i) {
    // Later buckets hold at least as many: all observations from two buckets above the lowest on.
    values_[buckets.first + i].integer += i < lowest + 2 ? (observations + 1) / 2 : observations;
  }
  values_[buckets.first + buckets.size - 1].integer =
      values_[buckets.first + buckets.size + 1].integer + observations;
  Number& sum = values_[buckets.first + buckets.size];
  sum.real +=
      static_cast<double>(observations) * (0.05 + static_cast<double>(random.Below(2000)) / 8);
  values_[buckets.first + buckets.size + 1].integer += observations;
}

void Exposition::Advance(RandomStream& random) {
  for (const Moving& moving : moving_) {
    if (hidden(moving.group)) continue;
    Number& value = values_[moving.value];
    switch (moving.motion) {
      case Motion::kConstant:
        break;
      case Motion::kStep:
        ++value.integer;
        break;
      case Motion::kCounter:
        if (!random.Chance(kCounterMoves)) break;
        value.is_integer ? void(value.integer += 1 + random.Below(50))
                         : void(value.real += random.Unit());
        break;
      case Motion::kGauge:
        if (!random.Chance(kGaugeMoves)) break;
        value.is_integer ? void(value.integer = random.Below(1000))
                         : void(value.real = random.Unit() * 1e8);
        break;
    }
  }
  for (const Buckets& buckets : histograms_) {
    if (!hidden(buckets.group) && random.Chance(kTrafficMoves)) Observe(buckets, random);
  }
}

bool Exposition::hidden(int group) const {
  return group >= 0 && hidden_[static_cast<size_t>(group)];
}

void Exposition::SetHidden(int group, bool hidden) { hidden_[static_cast<size_t>(group)] = hidden; }

void Exposition::ResetGroup(int group) {
  for (const Line& line : lines_) {
    if (line.group != group || line.value < 0) continue;
    Number& value = values_[static_cast<size_t>(line.value)];
    value.integer = 0;
    value.real = 0;
  }
}

std::string Exposition::Render(size_t* samples) const {
  std::string out;
  out.reserve(text_.size() + lines_.size() * 12);
  *samples = 0;
  for (const Line& line : lines_) {
    if (hidden(line.group)) continue;
    out.append(text_, line.begin, line.size);
    if (line.value >= 0) {
      out += ' ';
      Append(values_[static_cast<size_t>(line.value)], out);
      ++*samples;
    }
    out += '\n';
  }
  return out;
}

}  // namespace ampari::bench
