// The lines of an exposition, Prometheus text 0.0.4 and OpenMetrics 1.0: pure lexing, accepting and
// rejecting what Prometheus 3 does (model/textparse/promlex.l, openmetricslex.l and their parsers).
//
// Every function looks at `rest`, which begins at the start of a line (or of the tail) and may end
// anywhere: kNeedMore means that the line's end has not been seen. On kError `*error` says why,
// quoting at most 50 bytes. Views point into `rest`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/frame/scrape.h"

namespace ampari {

enum class LexResult : uint8_t { kOk, kNeedMore, kError };

// Text between the quotes or bare; `escaped` when it holds a backslash.
struct LexedText {
  std::string_view text;
  bool escaped = false;
};

struct LexedLabel {
  LexedText name;
  LexedText value;
  bool quoted_name = false;
};

// The part of a sample line that names the series.
struct LexedSeries {
  LexedText name;
  bool quoted_name = false;
  std::vector<LexedLabel>
      labels;  // in the order of the line, empty values and repeated names included
  size_t text_bytes =
      0;  // what Prometheus keys its cache by: from the line's start to the name's or brace's end
};

// The rest of a sample line.
struct LexedTail {
  uint64_t value_bits = 0;  // NaN is canonical
  bool has_timestamp = false;
  int64_t timestamp_ms = 0;
  bool has_exemplar = false;
  size_t bytes = 0;  // line end included
};

enum class CommentKind : uint8_t { kPlain, kType, kHelp, kUnit, kEndOfFile };

struct LexedComment {
  CommentKind kind = CommentKind::kPlain;
  std::string_view family;
  std::string_view text;  // of HELP (still escaped) and UNIT
  MetricType type = MetricType::kUnknown;
  size_t bytes = 0;  // line end included
};

// Bytes of the series text that `rest` begins with, found without validating it: for a line that
// may be known. npos when its end was not seen.
size_t SeriesTextBytes(std::string_view rest);

LexResult LexTextSeries(std::string_view rest, LexedSeries* out, std::string* error);
// Goes on at `from`, behind the comma of the last label that `*out` holds already.
LexResult ResumeTextSeries(std::string_view rest, size_t from, LexedSeries* out,
                           std::string* error);
LexResult LexTextTail(std::string_view rest, LexedTail* out, std::string* error);
LexResult LexTextComment(std::string_view rest, LexedComment* out, std::string* error);

// The last line of an OpenMetrics body, `# EOF`, may lack its newline: then it is kNeedMore here.
LexResult LexOpenMetricsSeries(std::string_view rest, LexedSeries* out, std::string* error);
LexResult ResumeOpenMetricsSeries(std::string_view rest, size_t from, LexedSeries* out,
                                  std::string* error);
LexResult LexOpenMetricsTail(std::string_view rest, LexedTail* out, std::string* error);
LexResult LexOpenMetricsComment(std::string_view rest, LexedComment* out, std::string* error);

// Label values and names: \\ \" \n; anything else stays as it is.
void UnescapeLabel(std::string_view text, std::string* out);
// HELP: \\ \n, and in OpenMetrics \" too.
std::string UnescapeHelp(std::string_view text, bool open_metrics);

}  // namespace ampari
