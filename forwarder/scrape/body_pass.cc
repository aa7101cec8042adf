#include "forwarder/scrape/body_pass.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "forwarder/scrape/registration_split.h"

namespace ampari {
namespace {

// Entries of one target; further dropped lines are read in full each time instead of being
// remembered.
constexpr size_t kMaxEntries = size_t{4} << 20;
// Sample lines of one body.
constexpr size_t kMaxBodyLines = size_t{16} << 20;
// Vectors above this many elements are given back after a pass that grew them.
constexpr size_t kKeptElements = 4096;
// " <digits>\n" with at most 15 digits, which most values are: the value's bits and the bytes of it
// all, 0 when it is anything else. A minus sign is understood.
inline size_t IntegerTail(const char* p, const char* end, uint64_t* bits) {
  if (end - p < 20 || *p != ' ') return 0;
  const char* at = p + 1;
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const first = at;
  uint64_t number = 0;
  for (; static_cast<unsigned char>(*at - '0') < 10; ++at) {
    if (at - first == 15) return 0;
    number = number * 10 + static_cast<unsigned char>(*at - '0');
  }
  if (at == first || *at != '\n' || (negative && number == 0)) return 0;
  const auto value = static_cast<double>(number);
  *bits = std::bit_cast<uint64_t>(negative ? -value : value);
  return static_cast<size_t>(at + 1 - p);
}

template <typename T>
void GiveBack(std::vector<T>& elements) {
  if (elements.capacity() > kKeptElements) elements = std::vector<T>();
  elements.clear();
}

}  // namespace

void BodyPass::Begin(const BodyPassRules& rules) {
  both_formats_ = both_formats_ || (began_ && rules.open_metrics != rules_.open_metrics);
  began_ = true;
  rules_ = rules;
  counts_ = {};
  cutter_.Reset(/*quoted_newlines=*/!rules.open_metrics);
  status_ = absl::OkStatus();
  limit_error_.clear();
  memory_.metadata.BeginScrape(rules.scrape, rules.open_metrics);
  cap_ = rules.max_samples;
  if (rules.sample_limit > 0) cap_ = std::min<uint64_t>(cap_, rules.sample_limit);
  cursor_ = 0;
  stored_ = 0;
  positions_ = 0;
  new_label_bytes_ = 0;
  type_ = MetricType::kUnknown;
  same_order_ = true;
  ended_ = any_bytes_ = expect_new_ = false;
  order.reserve(memory_.last_order.size());
  values.reserve(memory_.last_order.size());
}

void BodyPass::Drop() {
  cutter_.Drop();
  GiveBack(order);
  GiveBack(values);
  GiveBack(absent);
  GiveBack(timestamps);
  GiveBack(new_labels);
  GiveBack(fresh);
  GiveBack(toggled);
}

size_t BodyPass::Fail(const std::string& message) {
  status_ = absl::InvalidArgumentError(message);
  return 0;
}

size_t BodyPass::FailAtLimit(const std::string& message) {
  status_ = absl::ResourceExhaustedError(message);
  return 0;
}

Hash128 BodyPass::TextHash(std::string_view text) const {
  Hash128 hash = KeyedHash128(text);
  if (rules_.open_metrics) hash.low ^= kOpenMetricsKey;
  return hash;
}

LexResult BodyPass::LexTail(std::string_view rest, LexedTail* tail, std::string* error) const {
  return rules_.open_metrics ? LexOpenMetricsTail(rest, tail, error)
                             : LexTextTail(rest, tail, error);
}

absl::Status BodyPass::Feed(std::string_view piece) {
  if (!status_.ok()) return status_;
  any_bytes_ = any_bytes_ || !piece.empty();
  if (cutter_.carrying()) {
    piece.remove_prefix(cutter_.Append(piece));
    if (cutter_.line().size() > kMaxLineBytes) FailAtLimit("a line is longer than 16 MiB");
    if (!status_.ok() || !cutter_.whole()) return status_;
    const size_t taken = Consume(cutter_.line());
    if (status_.ok() && taken != cutter_.line().size()) Fail("malformed line");
    cutter_.Drop();
    if (!status_.ok()) return status_;
  }
  piece.remove_prefix(Consume(piece));
  if (!status_.ok() || piece.empty()) return status_;
  cutter_.Append(piece);
  if (cutter_.line().size() > kMaxLineBytes)
    FailAtLimit("a line is longer than 16 MiB");
  else if (cutter_.whole())
    Fail("malformed line");
  return status_;
}

absl::Status BodyPass::End() {
  if (status_.ok() && cutter_.carrying()) {
    if (rules_.open_metrics) {
      if (cutter_.line() == "# EOF" && !ended_)
        ended_ = true;
      else
        Fail(ended_ ? "unexpected data after # EOF" : "data does not end with # EOF");
    } else {
      // A missing last newline is forgiven.
      cutter_.Append("\n");
      const size_t taken = Consume(cutter_.line());
      if (status_.ok() && taken != cutter_.line().size()) Fail("the last line is not complete");
    }
  }
  if (status_.ok() && rules_.open_metrics && !ended_ && any_bytes_) {
    Fail("data does not end with # EOF");
  }
  if (status_.ok() && !limit_error_.empty()) FailAtLimit(limit_error_);
  return status_;
}

// Takes whole lines from the beginning; returns how many bytes that were.
size_t BodyPass::Consume(std::string_view buffer) {
  lexer_.Forget();  // what it remembers lies in another buffer
  size_t at = 0;
  while (at < buffer.size()) {
    if (ended_) {
      if (!rules_.open_metrics) return buffer.size();
      return Fail("unexpected data after # EOF");
    }
    const std::string_view rest = buffer.substr(at);
    size_t taken;
    if (rest[0] == '#') {
      taken = TakeComment(rest);
    } else {
      taken = TakePredicted(rest);
      if (taken == 0) taken = TakeOther(rest);
    }
    if (taken == 0) return at;
    at += taken;
  }
  return at;
}

size_t BodyPass::TakeComment(std::string_view rest) {
  const size_t known = memory_.metadata.TakePredicted(rest, &type_);
  if (known > 0) return known;
  LexedComment comment;
  std::string error;
  const LexResult result = rules_.open_metrics ? LexOpenMetricsComment(rest, &comment, &error)
                                               : LexTextComment(rest, &comment, &error);
  if (result == LexResult::kError) return Fail(error);
  if (result == LexResult::kNeedMore) return 0;
  if (comment.kind == CommentKind::kEndOfFile)
    ended_ = true;
  else
    memory_.metadata.Take(comment, rest.substr(0, comment.bytes), &type_);
  return comment.bytes;
}

size_t BodyPass::TakePredicted(std::string_view rest) {
  if (cursor_ >= memory_.last_order.size()) return 0;
  const EntryId id = EntryOf(memory_.last_order[cursor_]);
  SeriesEntry& entry = memory_.table[id];
  const size_t length = entry.length;
  if (rest.size() <= length) return 0;
  const char* const tail = rest.data() + length;
  if (*tail != ' ' && *tail != '\t' && (length == 0 || tail[-1] != '}')) return 0;
  if (TextHash(rest.substr(0, length)) != entry.text) return 0;
  uint64_t bits = 0;
  const size_t tail_bytes = IntegerTail(tail, rest.data() + rest.size(), &bits);
  const bool plain = entry.flags == 0 && entry.seen == rules_.cached_since && stored_ != cap_;
  if (tail_bytes == 0 || !plain || entry.seen == rules_.scrape) {
    const size_t next = cursor_ + 1;
    const size_t taken = TakeKnown(id, rest);
    if (taken > 0) {
      ++counts_.predicted;
      cursor_ = next;
    }
    return taken;
  }
  entry.seen = rules_.scrape;
  expect_new_ = false;
  ++cursor_;
  ++counts_.predicted;
  ++counts_.scraped;
  ++counts_.post_relabel;
  ++stored_;
  ++positions_;
  values.push_back(bits);
  Push(id, 0);
  return length + tail_bytes;
}

void BodyPass::Push(EntryId id, uint32_t skip) {
  const uint32_t element = id | skip;
  const size_t at = order.size();
  same_order_ = same_order_ && at < memory_.last_order.size() && memory_.last_order[at] == element;
  order.push_back(element);
}

// What is not a line with a predicted series: blank lines, indented comments, lines to look up or
// to read in full.
size_t BodyPass::TakeOther(std::string_view rest) {
  if (!rules_.open_metrics) {
    const size_t first = rest.find_first_not_of(" \t");
    if (first == std::string_view::npos) return 0;
    if (rest[first] == '\n') return first + 1;
    if (rest[first] == '#') return TakeComment(rest);
    if (rest[first] == '\0') {  // where a line begins, NUL ends the text, as in Prometheus
      ended_ = true;
      return rest.size();
    }
  }
  return TakeSample(rest);
}

size_t BodyPass::TakeSample(std::string_view rest) {
  size_t length = std::string_view::npos;
  if (!expect_new_) {
    length = SeriesTextBytes(rest);
    if (length == std::string_view::npos) return 0;
    const size_t taken = LookUp(rest, length, TextHash(rest.substr(0, length)));
    if (taken > 0) return taken;
  }
  return TakeUnknown(rest, length);
}

size_t BodyPass::LookUp(std::string_view rest, size_t length, const Hash128& text) {
  const EntryId id = memory_.table.Find(text, length);
  const size_t taken = id == kNoEntry ? 0 : TakeKnown(id, rest);
  if (taken > 0) ++counts_.looked_up;
  return taken;
}

size_t BodyPass::TakeKnown(EntryId id, std::string_view rest) {
  SeriesEntry& entry = memory_.table[id];
  LexedTail tail;
  std::string error;  // a line that only begins like a known series is read in full
  if (LexTail(rest.substr(entry.length), &tail, &error) != LexResult::kOk) return 0;
  if (order.size() >= kMaxBodyLines) return FailAtLimit("too many samples in one body");
  if (entry.position != kNoPosition) cursor_ = entry.position + 1;
  ++counts_.scraped;
  if (tail.has_exemplar) ++counts_.exemplars;
  const bool cached = entry.seen != 0 && entry.seen >= rules_.cached_since;
  Record(id, tail, cached || IsCachedInOtherFormat(entry.text, entry.length));
  return entry.length + tail.bytes;
}

// `looked_up` is the length of the text that is known to be new: a value may follow its name
// without a blank, and then the guess without lexing was too long.
size_t BodyPass::TakeUnknown(std::string_view rest, size_t looked_up) {
  std::string error;
  LexResult result = lexer_.Lex(rules_.open_metrics, rest, &error);
  if (result == LexResult::kError) return Fail(error);
  if (result == LexResult::kNeedMore) return 0;
  const size_t length = lexer_.series().text_bytes;
  if (length > kMaxLineBytes) return FailAtLimit("a line is longer than 16 MiB");
  const Hash128 text = TextHash(rest.substr(0, length));
  if (length != looked_up) {
    const size_t taken = LookUp(rest, length, text);
    expect_new_ = false;
    if (taken > 0) return taken;
  }
  expect_new_ = true;
  LexedTail tail;
  result = LexTail(rest.substr(length), &tail, &error);
  if (result == LexResult::kError) return Fail(error);
  if (result == LexResult::kNeedMore) return 0;
  if (order.size() >= kMaxBodyLines) return FailAtLimit("too many samples in one body");
  ++counts_.scraped;
  ++counts_.parsed;
  if (tail.has_exemplar) ++counts_.exemplars;
  const size_t taken = length + tail.bytes;
  Labels labels;
  const ComposeResult composed = memory_.composer.Compose(lexer_.series(), type_, &labels, &error);
  if (composed == ComposeResult::kOverLimit) return FailAtLimit(error);
  if (composed == ComposeResult::kFailed) return Fail(error);
  if (composed == ComposeResult::kDropped) {
    if (memory_.table.size() >= kMaxEntries) return taken;
    const EntryId id = memory_.table.Add(text, length);
    memory_.table[id].flags = kDroppedByRules;
    memory_.table[id].seen = rules_.scrape;
    Push(id, kSkipBit);
    return taken;
  }
  if (AtLimit()) {
    ++counts_.post_relabel;
    return taken;
  }
  const bool cached =
      memory_.failed_texts.contains(text.low) || IsCachedInOtherFormat(text, length);
  new_label_bytes_ += labels.bytes().size() + sizeof(Labels);
  if (new_label_bytes_ > kMaxNewLabelBytes) {
    return FailAtLimit("the new series of one scrape have more than 512 MiB of labels");
  }
  Record(Register(text, length, std::move(labels)), tail, cached);
  return taken;
}

}  // namespace ampari
