#include "forwarder/scrape/series_lexer.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace ampari {
namespace {

size_t CommonBytes(std::string_view a, std::string_view b) {
  static_assert(std::endian::native == std::endian::little);
  const size_t size = std::min(a.size(), b.size());
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    uint64_t x, y;
    std::memcpy(&x, a.data() + at, 8);
    std::memcpy(&y, b.data() + at, 8);
    if (x != y) return at + static_cast<size_t>(std::countr_zero(x ^ y)) / 8;
  }
  while (at < size && a[at] == b[at]) ++at;
  return at;
}

void Move(std::string_view& text, const char* from, const char* to) {
  text = {to + (text.data() - from), text.size()};
}

}  // namespace

// Keeps the labels that lie, closing quote and comma included, within what both lines have in
// common, moved to `rest`. Returns where the next label begins; 0: none is kept.
size_t SeriesLexer::TakeOver(std::string_view rest) {
  if (series_.labels.size() < 2 || series_.quoted_name) return 0;
  const size_t common = CommonBytes(before_, rest);
  const auto end_of = [this](const LexedLabel& label) {
    return static_cast<size_t>(label.value.text.data() - before_.data()) + label.value.text.size();
  };
  const auto differs =
      std::partition_point(series_.labels.begin(), series_.labels.end(),
                           [&](const LexedLabel& label) { return end_of(label) + 2 <= common; });
  if (differs == series_.labels.begin()) return 0;
  const size_t from = end_of(*std::prev(differs)) + 2;  // behind the quote and the comma
  if (rest[from - 1] != ',') return 0;
  series_.labels.erase(differs, series_.labels.end());
  Move(series_.name.text, before_.data(), rest.data());
  for (LexedLabel& label : series_.labels) {
    Move(label.name.text, before_.data(), rest.data());
    Move(label.value.text, before_.data(), rest.data());
  }
  return from;
}

LexResult SeriesLexer::Lex(bool open_metrics, std::string_view rest, std::string* error) {
  const size_t from = before_.empty() ? 0 : TakeOver(rest);
  before_ = {};
  LexResult result;
  if (from == 0) {
    result = open_metrics ? LexOpenMetricsSeries(rest, &series_, error)
                          : LexTextSeries(rest, &series_, error);
  } else {
    result = open_metrics ? ResumeOpenMetricsSeries(rest, from, &series_, error)
                          : ResumeTextSeries(rest, from, &series_, error);
  }
  if (result == LexResult::kOk) before_ = rest.substr(0, series_.text_bytes);
  return result;
}

}  // namespace ampari
