// Prometheus text 0.0.4 (model/textparse/promlex.l and promparse.go).
#include "common/labels/quote.h"
#include "forwarder/scrape/exposition.h"
#include "forwarder/scrape/lexing.h"
#include "forwarder/scrape/number.h"

namespace ampari {
namespace {

using lexing::Cursor;
using lexing::Fail;

constexpr lexing::LabelSyntax kTextLabels = {
    .blanks = true, .newlines = true, .optional_commas = true, .allow_name = true};

bool ParseTextType(std::string_view text, MetricType* type) {
  if (text == "counter")
    *type = MetricType::kCounter;
  else if (text == "gauge")
    *type = MetricType::kGauge;
  else if (text == "histogram")
    *type = MetricType::kHistogram;
  else if (text == "summary")
    *type = MetricType::kSummary;
  else if (text == "untyped")
    *type = MetricType::kUnknown;
  else
    return false;
  return true;
}

// Takes `word` and at least one blank behind it; false (and the cursor stays) when `line` does not
// go on so.
bool TakeKeyword(Cursor& line, std::string_view word) {
  if (!line.rest().starts_with(word)) return false;
  const std::string_view behind = line.rest().substr(word.size());
  if (behind.empty() || !lexing::IsBlank(behind[0])) return false;
  line.p += word.size();
  line.SkipBlanks();
  return true;
}

// The family's name and the text behind it, of which the first byte is a separator whatever it is.
LexResult LexFamily(Cursor& line, LexedComment* out, std::string* error) {
  LexedText name;
  if (!line.AtEnd() && *line.p == '"') {
    if (lexing::LexQuoted(line, false, &name, error) != LexResult::kOk) {
      return Fail("expected metric name", line, error);
    }
    out->family = name.text;
  } else {
    const char* const first = line.p;
    if (line.AtEnd() || !lexing::IsNameStart(*line.p)) {
      return Fail("expected metric name", line, error);
    }
    while (!line.AtEnd() && (lexing::IsNameStart(*line.p) || lexing::IsDigit(*line.p))) ++line.p;
    out->family = {first, static_cast<size_t>(line.p - first)};
  }
  out->text = line.rest().substr(line.AtEnd() ? 0 : 1);
  return LexResult::kOk;
}

}  // namespace

LexResult LexTextSeries(std::string_view rest, LexedSeries* out, std::string* error) {
  out->name = {};
  out->quoted_name = false;
  out->labels.clear();
  Cursor at{rest.data(), rest.data() + rest.size()};
  at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p != '{') {
    if (!lexing::IsNameStart(*at.p)) return Fail("expected a valid start token", at, error);
    const LexResult name = lexing::LexBareName(at, /*colons=*/true, &out->name, error);
    if (name != LexResult::kOk) return name;
    // Prometheus takes blanks before the name as part of it, which no naming scheme of ours allows.
    out->name.text = {rest.data(), static_cast<size_t>(at.p - rest.data())};
  }
  out->text_bytes = static_cast<size_t>(at.p - rest.data());
  at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p != '{') return LexResult::kOk;
  return ResumeTextSeries(rest, static_cast<size_t>(at.p + 1 - rest.data()), out, error);
}

LexResult ResumeTextSeries(std::string_view rest, size_t from, LexedSeries* out,
                           std::string* error) {
  Cursor at{rest.data() + from, rest.data() + rest.size()};
  const LexResult labels = lexing::LexLabels(at, kTextLabels, out, error);
  if (labels != LexResult::kOk) return labels;
  if (out->name.text.data() == nullptr) return Fail("metric name not set", at, error);
  out->text_bytes = static_cast<size_t>(at.p - rest.data());
  return LexResult::kOk;
}

LexResult LexTextTail(std::string_view rest, LexedTail* out, std::string* error) {
  Cursor at{rest.data(), rest.data() + rest.size()};
  at.SkipBlanks();
  const char* const first = at.p;
  while (!at.AtEnd() && *at.p != ' ' && *at.p != '\t' && *at.p != '\n' && *at.p != '{') ++at.p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  double value;
  const std::string_view text(first, static_cast<size_t>(at.p - first));
  if (!ParseGoFloat(text, &value)) return Fail("expected a value", {first, at.end}, error);
  out->value_bits = CanonicalBits(value);
  out->has_timestamp = out->has_exemplar = false;
  at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (lexing::IsDigit(*at.p)) {
    const char* const digits = at.p;
    while (!at.AtEnd() && lexing::IsDigit(*at.p)) ++at.p;
    if (!ParseDigits({digits, static_cast<size_t>(at.p - digits)}, &out->timestamp_ms)) {
      return Fail("timestamp out of range", {digits, at.end}, error);
    }
    out->has_timestamp = true;
    at.SkipBlanks();
    if (at.AtEnd()) return LexResult::kNeedMore;
  }
  if (*at.p != '\n') return Fail("expected timestamp or new record", at, error);
  out->bytes = static_cast<size_t>(at.p + 1 - rest.data());
  return LexResult::kOk;
}

LexResult LexTextComment(std::string_view rest, LexedComment* out, std::string* error) {
  const size_t newline = rest.find('\n');
  if (newline == std::string_view::npos) return LexResult::kNeedMore;
  *out = {};
  out->bytes = newline + 1;
  Cursor line{rest.data(), rest.data() + newline};
  line.SkipBlanks();
  ++line.p;  // '#'
  if (line.AtEnd() || !lexing::IsBlank(*line.p)) return LexResult::kOk;
  line.SkipBlanks();
  const bool help = TakeKeyword(line, "HELP");
  if (!help && !TakeKeyword(line, "TYPE")) return LexResult::kOk;
  const LexResult family = LexFamily(line, out, error);
  if (family != LexResult::kOk) return family;
  out->kind = help ? CommentKind::kHelp : CommentKind::kType;
  if (help && !IsUtf8(out->text)) return Fail("HELP is not valid UTF-8", line, error);
  if (!help && !ParseTextType(out->text, &out->type)) {
    return Fail("invalid metric type", line, error);
  }
  return LexResult::kOk;
}

}  // namespace ampari
