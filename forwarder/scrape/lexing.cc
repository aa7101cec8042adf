#include "forwarder/scrape/lexing.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "common/labels/quote.h"

namespace ampari::lexing {
namespace {

// Bytes of bare names; 2 marks what only metric names may hold.
constexpr std::array<unsigned char, 256> kNameBytes = [] {
  std::array<unsigned char, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = 1;
  for (int c = '0'; c <= '9'; ++c) table[c] = 1;
  table['_'] = 1;
  table[':'] = 2;
  return table;
}();

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// High bits set in the bytes of `word` that equal `c`; exact up to and including the first such
// byte.
uint64_t Matches(uint64_t word, char c) {
  const uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
  return (x - kOnes) & ~x & kHighs;
}

#if defined(__SSE2__)
__m128i LoadBytes(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
unsigned MaskOf(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }

// Which bytes lie within [first, first + count).
__m128i InRange(__m128i bytes, char first, char count) {
  const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(static_cast<char>(count - 1))), offset);
}
#endif

// The first byte at or behind `p` that a bare name does not hold.
const char* FindNameEnd(const char* p, const char* end, bool colons) {
#if defined(__SSE2__)
  const __m128i second_mark = _mm_set1_epi8(colons ? ':' : '_');
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = LoadBytes(p);
    const __m128i letters = InRange(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i digits = InRange(bytes, '0', 10);
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')), _mm_cmpeq_epi8(bytes, second_mark));
    const unsigned hit = ~MaskOf(_mm_or_si128(_mm_or_si128(letters, digits), marks)) & 0xffffu;
    if (hit != 0) return p + std::countr_zero(hit);
  }
#endif
  const unsigned char allowed = colons ? 3 : 1;
  while (p != end && (kNameBytes[static_cast<unsigned char>(*p)] & allowed) != 0) ++p;
  return p;
}

// The first quote, backslash or newline at or behind `p`; *ascii turns false when a byte above 0x7f
// was passed.
const char* FindSpecial(const char* p, const char* end, bool* ascii) {
  static_assert(std::endian::native == std::endian::little);
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = LoadBytes(p);
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i escapes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i newlines = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
    const unsigned hit = MaskOf(_mm_or_si128(_mm_or_si128(quotes, escapes), newlines));
    const unsigned before = hit == 0 ? 0xffffu : (hit & (~hit + 1)) - 1;
    if ((MaskOf(bytes) & before) != 0) *ascii = false;
    if (hit != 0) return p + std::countr_zero(hit);
  }
#endif
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
  out->quoted_name = true;
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
  label.quoted_name = quoted;
  out->labels.push_back(label);
  return SkipComma(at, syntax, error);
}

}  // namespace

const char* SkipQuoted(const char* p, const char* end) {
  bool ascii = true;
  for (;;) {
    p = FindSpecial(p, end, &ascii);
    if (p == end || *p == '"') return p;
    p += *p == '\\' && end - p > 1 ? 2 : 1;
  }
}

LexResult LexBareName(Cursor& at, bool colons, LexedText* out, std::string* error) {
  const char* const first = at.p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  if (!IsAlpha(*at.p) && !(colons && *at.p == ':')) return Fail("expected a name", at, error);
  const char* const p = FindNameEnd(at.p, at.end, colons);
  at.p = p;
  if (at.AtEnd()) return LexResult::kNeedMore;
  *out = {{first, static_cast<size_t>(p - first)}, false};
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
  if (!ascii && !IsUtf8(out->text)) return Fail("invalid UTF-8 in a quoted string", at, error);
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
  const char* const begin = rest.data();
  const char* const end = begin + rest.size();
  const char* p = begin;
  while (p != end && *p != '{' && *p != '\n' && !lexing::IsBlank(*p)) ++p;
  const auto stop = static_cast<size_t>(p - begin);
  while (p != end && lexing::IsBlank(*p)) ++p;
  if (p == end) return std::string_view::npos;
  if (*p != '{') return stop;
  for (++p; p != end; ++p) {
    if (*p == '}') return static_cast<size_t>(p + 1 - begin);
    if (*p == '\n') return static_cast<size_t>(p - begin);
    if (*p != '"') continue;
    p = lexing::SkipQuoted(p + 1, end);
    if (p == end) break;
  }
  return std::string_view::npos;
}

}  // namespace ampari
