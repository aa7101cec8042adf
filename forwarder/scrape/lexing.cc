#include "forwarder/scrape/lexing.h"

#include <bit>
#include <cstring>

namespace ampari::lexing {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// High bits set in the bytes of `word` that equal `c`; exact up to and including the first such
// byte.
uint64_t Matches(uint64_t word, char c) {
  const uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
  return (x - kOnes) & ~x & kHighs;
}

// The first quote, backslash or newline at or behind `p`; *ascii turns false when a byte above 0x7f
// was passed.
const char* FindSpecial(const char* p, const char* end, bool* ascii) {
  static_assert(std::endian::native == std::endian::little);
  while (end - p >= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    const uint64_t hit = Matches(word, '"') | Matches(word, '\\') | Matches(word, '\n');
    const uint64_t before = hit == 0 ? ~uint64_t{0} : (hit & (~hit + 1)) - 1;
    if ((word & kHighs & before) != 0) *ascii = false;
    if (hit != 0) return p + std::countr_zero(hit) / 8;
    p += 8;
  }
  for (; p != end; ++p) {
    if (*p == '"' || *p == '\\' || *p == '\n') return p;
    if ((*p & 0x80) != 0) *ascii = false;
  }
  return end;
}

// One element of the label list: a pair, or the quoted metric name. The cursor stands behind it and
// its comma.
LexResult SkipComma(Cursor& at, const LabelSyntax& syntax, std::string* error) {
  if (syntax.blanks) at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p == ',') {
    ++at.p;
    return LexResult::kOk;
  }
  if (*at.p == '}' || syntax.optional_commas) return LexResult::kOk;
  return Fail("expected comma or brace close", at, error);
}

LexResult LexValue(Cursor& at, const LabelSyntax& syntax, LexedText* out, std::string* error) {
  ++at.p;  // '='
  if (syntax.blanks) at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (*at.p != '"') return Fail("expected label value", at, error);
  return LexQuoted(at, syntax.newlines, out, error);
}

LexResult TakeName(const LexedText& name, Cursor& at, LexedSeries* out, std::string* error) {
  if (out->name.text.data() != nullptr) return Fail("metric name already set", at, error);
  out->name = name;
  if (*at.p == ',') ++at.p;
  return LexResult::kOk;
}

LexResult LexLabel(Cursor& at, const LabelSyntax& syntax, LexedSeries* out, std::string* error) {
  LexedLabel label;
  const bool quoted = *at.p == '"';
  if (!quoted && !IsAlpha(*at.p)) return Fail("expected label name", at, error);
  const LexResult name = quoted ? LexQuoted(at, syntax.newlines, &label.name, error)
                                : LexBareName(at, /*colons=*/false, &label.name, error);
  if (name != LexResult::kOk) return name;
  if (syntax.blanks) at.SkipBlanks();
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (quoted && syntax.allow_name && (*at.p == ',' || *at.p == '}')) {
    return TakeName(label.name, at, out, error);
  }
  if (*at.p != '=') return Fail("expected equal", at, error);
  const LexResult value = LexValue(at, syntax, &label.value, error);
  if (value != LexResult::kOk) return value;
  out->labels.push_back(label);
  return SkipComma(at, syntax, error);
}

}  // namespace

LexResult LexBareName(Cursor& at, bool colons, LexedText* out, std::string* error) {
  const char* const first = at.p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (!IsAlpha(*at.p) && !(colons && *at.p == ':')) return Fail("expected a name", at, error);
  while (!at.AtEnd() && (IsAlpha(*at.p) || IsDigit(*at.p) || (colons && *at.p == ':'))) ++at.p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  *out = {{first, static_cast<size_t>(at.p - first)}, false};
  return LexResult::kOk;
}

LexResult LexQuoted(Cursor& at, bool newlines, LexedText* out, std::string* error) {
  const char* const first = at.p + 1;
  const char* p = first;
  bool ascii = true;
  out->escaped = false;
  for (;;) {
    p = FindSpecial(p, at.end, &ascii);
    if (p == at.end) return LexResult::kNeedMore;
    if (*p == '"') break;
    if (*p == '\n') {
      if (!newlines) return Fail("newline in a quoted string", at, error);
      ++p;
      continue;
    }
    out->escaped = true;
    if (at.end - p < 2) return LexResult::kNeedMore;
    if (p[1] == '\n') return Fail("backslash before a newline", at, error);
    if ((p[1] & 0x80) != 0) ascii = false;
    p += 2;
  }
  out->text = {first, static_cast<size_t>(p - first)};
  if (!ascii && !IsValidUtf8(out->text)) return Fail("invalid UTF-8 in a quoted string", at, error);
  at.p = p + 1;
  return LexResult::kOk;
}

LexResult LexLabels(Cursor& at, const LabelSyntax& syntax, LexedSeries* out, std::string* error) {
  for (;;) {
    if (syntax.blanks) at.SkipBlanks();
    if (at.AtEnd()) return LexResult::kNeedMore;
    if (*at.p == '}') {
      ++at.p;
      return LexResult::kOk;
    }
    const LexResult label = LexLabel(at, syntax, out, error);
    if (label != LexResult::kOk) return label;
  }
}

}  // namespace ampari::lexing

namespace ampari {
namespace {

// Length of the valid UTF-8 sequence at `p`, 0 when there is none.
size_t SequenceBytes(const unsigned char* p, size_t left) {
  const auto tail = [&](size_t i) { return i < left && (p[i] & 0xc0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xc2 && p[0] <= 0xdf) return tail(1) ? 2 : 0;
  if (p[0] >= 0xe0 && p[0] <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    return p[0] == 0xed && p[1] > 0x9f ? 0 : 3;
  }
  if (p[0] < 0xf0 || p[0] > 0xf4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (p[0] == 0xf0 && p[1] < 0x90) return 0;
  return p[0] == 0xf4 && p[1] > 0x8f ? 0 : 4;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = SequenceBytes(p + i, text.size() - i);
    if (bytes == 0) return false;
    i += bytes;
  }
  return true;
}

void UnescapeLabel(std::string_view text, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '\\' || next == '"' || next == 'n') {
      out->push_back(next == 'n' ? '\n' : next);
      ++i;
    } else {
      out->push_back(text[i]);
    }
  }
}

std::string UnescapeHelp(std::string_view text, bool open_metrics) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '\\' || next == 'n' || (open_metrics && next == '"')) {
      out.push_back(next == 'n' ? '\n' : next);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

size_t SeriesTextBytes(std::string_view rest) {
  const size_t stop = rest.find_first_of("{ \t\n");
  if (stop == std::string_view::npos) return stop;
  const size_t brace = rest.find_first_not_of(" \t", stop);
  if (brace == std::string_view::npos) return brace;
  if (rest[brace] != '{') return stop;
  bool quoted = false;
  for (size_t i = brace + 1; i < rest.size(); ++i) {
    if (quoted) {
      i = rest.find_first_of("\"\\", i);
      if (i == std::string_view::npos) return i;
      if (rest[i] == '"')
        quoted = false;
      else
        ++i;
    } else if (rest[i] == '"') {
      quoted = true;
    } else if (rest[i] == '}' || rest[i] == '\n') {
      return rest[i] == '}' ? i + 1 : i;
    }
  }
  return std::string_view::npos;
}

}  // namespace ampari
