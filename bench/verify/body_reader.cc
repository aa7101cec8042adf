#include "bench/verify/body_reader.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/region/write_request.h"
#include "bench/verify/go_float.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

absl::Status NoSeries(std::string_view series) {
  return absl::InvalidArgumentError(absl::StrCat("no series: ", ToAbsl(series.substr(0, 200))));
}

// The end of the series text in a sample line: behind the closing brace outside quotes, or at the
// first blank.
size_t SeriesEnd(std::string_view line) {
  const size_t brace = line.find('{');
  const size_t blank = line.find(' ');
  if (brace == std::string_view::npos || blank < brace) return blank;
  bool quoted = false;
  for (size_t i = brace; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == '}' && !quoted) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool ReadQuoted(std::string_view* rest, std::string* value) {
  if (!rest->starts_with('"')) return false;
  for (size_t i = 1; i < rest->size(); ++i) {
    const char c = (*rest)[i];
    if (c == '"') {
      rest->remove_prefix(i + 1);
      return true;
    }
    if (c != '\\') {
      *value += c;
    } else if (++i < rest->size()) {
      const char escaped = (*rest)[i];
      *value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    }
  }
  return false;
}

}  // namespace

bool BodyReader::Next(BodySample* sample) {
  while (!rest_.empty()) {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    if (line.starts_with("# TYPE ")) type_ = line.substr(line.rfind(' ') + 1);
    if (line.empty() || line[0] == '#') continue;
    const size_t end = SeriesEnd(line);
    double value = 0;
    if (end == std::string_view::npos || end + 1 >= line.size() ||
        !ParseSampleValue(line.substr(end + 1), &value)) {
      status_ = NoSeries(line);
      return false;
    }
    sample->series = line.substr(0, end);
    sample->family_type = type_;
    std::memcpy(&sample->value_bits, &value, sizeof value);
    return true;
  }
  return false;
}

absl::Status ParseSeries(std::string_view series, LabelMap* labels) {
  const size_t brace = series.find('{');
  if (brace != 0) (*labels)["__name__"] = std::string(series.substr(0, brace));
  if (brace == std::string_view::npos) return absl::OkStatus();
  std::string_view rest = series.substr(brace + 1);
  while (!rest.starts_with('}')) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return NoSeries(series);
    std::string name(rest.substr(0, equals)), value;
    rest.remove_prefix(equals + 1);
    if (!ReadQuoted(&rest, &value)) return NoSeries(series);
    (*labels)[std::move(name)] = std::move(value);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return absl::OkStatus();
}

std::string CanonicalText(const LabelMap& labels) {
  std::vector<LabelView> views;
  for (const auto& [name, value] : labels) views.push_back({name, value});
  return CanonicalLabels(views);
}

}  // namespace ampari::bench
