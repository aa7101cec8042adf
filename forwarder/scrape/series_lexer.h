// SeriesLexer: lexes the series of one sample line after another. Lines of a family mostly begin
// like the line before, so the labels that both have in common up to the first difference are taken
// over instead of lexed: what a lexer made of the same bytes.
//
// Used by one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "forwarder/scrape/exposition.h"

namespace ampari {

class SeriesLexer {
 public:
  // As LexTextSeries or LexOpenMetricsSeries; the result is in series() and points into `rest`.
  LexResult Lex(bool open_metrics, std::string_view rest, std::string* error);
  const LexedSeries& series() const { return series_; }
  // Before the bytes of the line before go.
  void Forget() { before_ = {}; }

 private:
  size_t TakeOver(std::string_view rest);

  std::string_view before_;  // the text of series_; empty: none
  LexedSeries series_;
};

}  // namespace ampari
