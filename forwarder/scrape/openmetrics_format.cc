// OpenMetrics 1.0 text as Prometheus reads it (model/textparse/openmetricslex.l and
// openmetricsparse.go).
#include <cmath>
#include <limits>

#include "common/labels/quote.h"
#include "forwarder/scrape/exposition.h"
#include "forwarder/scrape/lexing.h"
#include "forwarder/scrape/number.h"

namespace ampari {
namespace {

using lexing::Cursor;
using lexing::Fail;

constexpr lexing::LabelSyntax kSeriesLabels = {
    .blanks = false, .newlines = false, .optional_commas = false, .allow_name = true};
constexpr lexing::LabelSyntax kExemplarLabels = {
    .blanks = false, .newlines = false, .optional_commas = false, .allow_name = false};

bool ParseOpenMetricsType(std::string_view text, MetricType* type) {
  if (text == "counter")
    *type = MetricType::kCounter;
  else if (text == "gauge")
    *type = MetricType::kGauge;
  else if (text == "histogram")
    *type = MetricType::kHistogram;
  else if (text == "gaugehistogram")
    *type = MetricType::kGaugeHistogram;
  else if (text == "summary")
    *type = MetricType::kSummary;
  else if (text == "info")
    *type = MetricType::kInfo;
  else if (text == "stateset")
    *type = MetricType::kStateSet;
  else if (text == "unknown")
    *type = MetricType::kUnknown;
  else
    return false;
  return true;
}

// One space and the bytes up to the next space or newline, as a number.
LexResult LexSpacedNumber(Cursor& at, double* out, std::string* error) {
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p != ' ') return Fail("expected one space and a number", at, error);
  const char* const first = ++at.p;
  while (!at.AtEnd() && *at.p != ' ' && *at.p != '\n') ++at.p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (!ParseGoFloat({first, static_cast<size_t>(at.p - first)}, out)) {
    return Fail("expected a number", {first, at.end}, error);
  }
  return LexResult::kOk;
}

// Seconds to milliseconds, truncated; out of range becomes the smallest number, as Go's conversion
// does.
int64_t MillisecondsOf(double seconds) {
  const double ms = seconds * 1000;
  if (!(ms >= -9.2e18 && ms <= 9.2e18)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(ms);
}

constexpr std::string_view kExemplarStart = " # {";

// The buffer ends before it is clear whether an exemplar follows.
bool MayBecomeExemplar(const Cursor& at) {
  return at.rest().size() < kExemplarStart.size() && kExemplarStart.starts_with(at.rest());
}

LexResult LexTimestamp(Cursor& at, double* seconds, std::string* error) {
  const Cursor start = at;
  const LexResult number = LexSpacedNumber(at, seconds, error);
  if (number != LexResult::kOk) return number;
  if (!std::isfinite(*seconds)) return Fail("invalid timestamp", start, error);
  return LexResult::kOk;
}

// ` # {labels} value [timestamp]`: checked and dropped. The cursor stands at " # {".
LexResult LexExemplar(Cursor& at, std::string* error) {
  at.p += 4;
  LexedSeries labels;
  const LexResult pairs = lexing::LexLabels(at, kExemplarLabels, &labels, error);
  if (pairs != LexResult::kOk) return pairs;
  double number;
  const LexResult value = LexSpacedNumber(at, &number, error);
  if (value != LexResult::kOk || *at.p == '\n') return value;
  return LexTimestamp(at, &number, error);
}

LexResult CheckUnit(const LexedComment& comment, const Cursor& line, std::string* error) {
  if (comment.text.empty()) return LexResult::kOk;
  if (comment.family.ends_with("_" + std::string(comment.text))) return LexResult::kOk;
  return Fail("unit is not a suffix of the metric name", line, error);
}

// The family's name, one space and the text up to the line's end.
LexResult LexFamilyText(Cursor& line, LexedComment* out, std::string* error) {
  LexedText name;
  const Cursor start = line;
  if (!line.AtEnd() && *line.p == '"') {
    if (lexing::LexQuoted(line, false, &name, error) != LexResult::kOk) {
      return Fail("expected metric name", start, error);
    }
  } else {
    const char* const first = line.p;
    if (line.AtEnd() || !lexing::IsNameStart(*line.p)) {
      return Fail("expected metric name", line, error);
    }
    while (!line.AtEnd() && (lexing::IsNameStart(*line.p) || lexing::IsDigit(*line.p))) ++line.p;
    name.text = {first, static_cast<size_t>(line.p - first)};
  }
  out->family = name.text;
  if (line.AtEnd() || *line.p != ' ') return Fail("expected text behind the name", start, error);
  ++line.p;
  out->text = line.rest();
  return LexResult::kOk;
}

LexResult CheckComment(const Cursor& line, LexedComment* out, std::string* error) {
  switch (out->kind) {
    case CommentKind::kType:
      if (ParseOpenMetricsType(out->text, &out->type)) return LexResult::kOk;
      return Fail("invalid metric type", line, error);
    case CommentKind::kHelp:
      if (IsUtf8(out->text)) return LexResult::kOk;
      return Fail("HELP is not valid UTF-8", line, error);
    case CommentKind::kUnit:
      return CheckUnit(*out, line, error);
    case CommentKind::kPlain:
    case CommentKind::kEndOfFile:
      break;
  }
  return LexResult::kOk;
}

}  // namespace

LexResult LexOpenMetricsSeries(std::string_view rest, LexedSeries* out, std::string* error) {
  out->name = {};
  out->quoted_name = false;
  out->labels.clear();
  Cursor at{rest.data(), rest.data() + rest.size()};
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p != '{') {
    if (!lexing::IsNameStart(*at.p)) return Fail("expected a valid start token", at, error);
    const LexResult name = lexing::LexBareName(at, /*colons=*/true, &out->name, error);
    if (name != LexResult::kOk) return name;
  }
  const auto behind = static_cast<size_t>(at.p - rest.data());
  if (*at.p == '{') return ResumeOpenMetricsSeries(rest, behind + 1, out, error);
  out->text_bytes = behind;
  return LexResult::kOk;
}

LexResult ResumeOpenMetricsSeries(std::string_view rest, size_t from, LexedSeries* out,
                                  std::string* error) {
  Cursor at{rest.data() + from, rest.data() + rest.size()};
  const LexResult labels = lexing::LexLabels(at, kSeriesLabels, out, error);
  if (labels != LexResult::kOk) return labels;
  if (out->name.text.data() == nullptr) return Fail("metric name not set", at, error);
  out->text_bytes = static_cast<size_t>(at.p - rest.data());
  return LexResult::kOk;
}

LexResult LexOpenMetricsTail(std::string_view rest, LexedTail* out, std::string* error) {
  Cursor at{rest.data(), rest.data() + rest.size()};
  double number;
  LexResult result = LexSpacedNumber(at, &number, error);
  if (result != LexResult::kOk) return result;
  out->value_bits = CanonicalBits(number);
  out->has_timestamp = out->has_exemplar = false;
  if (MayBecomeExemplar(at)) return LexResult::kNeedMore;
  if (*at.p == ' ' && !at.rest().starts_with(kExemplarStart)) {
    result = LexTimestamp(at, &number, error);
    if (result != LexResult::kOk) return result;
    out->has_timestamp = true;
    out->timestamp_ms = MillisecondsOf(number);
    if (MayBecomeExemplar(at)) return LexResult::kNeedMore;
  }
  if (at.rest().starts_with(kExemplarStart)) {
    result = LexExemplar(at, error);
    if (result != LexResult::kOk) return result;
    out->has_exemplar = true;
  }
  if (*at.p != '\n') return Fail("expected next entry", at, error);
  out->bytes = static_cast<size_t>(at.p + 1 - rest.data());
  return LexResult::kOk;
}

LexResult LexOpenMetricsComment(std::string_view rest, LexedComment* out, std::string* error) {
  const size_t newline = rest.find('\n');
  if (newline == std::string_view::npos) return LexResult::kNeedMore;
  *out = {};
  out->bytes = newline + 1;
  Cursor line{rest.data(), rest.data() + newline};
  const std::string_view text = line.rest();
  if (text == "# EOF") {
    out->kind = CommentKind::kEndOfFile;
    return LexResult::kOk;
  }
  if (text.starts_with("# HELP "))
    out->kind = CommentKind::kHelp;
  else if (text.starts_with("# TYPE "))
    out->kind = CommentKind::kType;
  else if (text.starts_with("# UNIT "))
    out->kind = CommentKind::kUnit;
  else
    return Fail("expected a valid start token", line, error);
  line.p += 7;
  const LexResult family = LexFamilyText(line, out, error);
  if (family != LexResult::kOk) return family;
  return CheckComment(line, out, error);
}

}  // namespace ampari
