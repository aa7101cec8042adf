#include "forwarder/log_line_config.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"
#include "forwarder/access_log_config.h"
#include "forwarder/tail/line_rules.h"

namespace ampari {
namespace {

using Action = LogLineRule::Action;

template <typename Value>
struct Word {
  const char* text;
  Value value;
};
constexpr Word<LongLines> kLongLines[] = {{"cut", LongLines::kCut}, {"refuse", LongLines::kRefuse}};
constexpr Word<LogStart> kStarts[] = {
    {"auto", LogStart::kAuto}, {"beginning", LogStart::kBeginning}, {"end", LogStart::kEnd}};
constexpr Word<Action> kActions[] = {
    {"keep", Action::kKeep}, {"drop", Action::kDrop}, {"sample", Action::kSample}};

// One of a few words; an absent key leaves *out. False: neither.
template <typename Value, size_t kCount>
bool ReadWord(MappingReader& block, const char* key, const Word<Value> (&words)[kCount],
              Value* out) {
  std::string written;
  if (!block.Text(key, &written)) return false;
  std::string choices;
  for (const Word<Value>& word : words) {
    if (written == word.text) {
      *out = word.value;
      return true;
    }
    absl::StrAppend(&choices, choices.empty() ? "" : ", ", word.text);
  }
  block.Error(key, absl::StrCat(Quoted(written), " is none of: ", choices));
  return false;
}

template <typename Value, size_t kCount>
std::string WordOf(const Word<Value> (&words)[kCount], Value value) {
  for (const Word<Value>& word : words) {
    if (word.value == value) return word.text;
  }
  return "";
}

void ReadRate(MappingReader& block, LogLineRule* rule) {
  constexpr char kKey[] = "rate";
  std::string written;
  const bool given = block.Text(kKey, &written);
  if (rule->action != Action::kSample) {
    if (given) block.Error(kKey, "only a sample has a rate; use action: sample, or remove it");
    return;
  }
  if (!given) return block.Error(kKey, "a sample needs its rate, such as 0.1: one line in ten");
  const bool number = absl::SimpleAtod(ToAbsl(written), &rule->rate);
  if (!number || !(rule->rate >= 0 && rule->rate <= 1)) {
    block.Error(kKey, absl::StrCat(Quoted(written), " is not a number from 0 to 1"));
  }
}

LogLineRule ReadRule(MappingReader& block, const AccessLogOptions& access) {
  LogLineRule rule;
  if (!block.Has("action")) block.Error("action", "a rule needs one: keep, drop or sample");
  ReadWord(block, "action", kActions, &rule.action);
  block.Text("field", &rule.field);
  if (RuleSubjectOf(rule.field) == RuleSubject::kAccessField) {
    rule.field = ReadAccessField(block, "field", rule.field, access);
  }
  const bool has_regex = block.Has("regex");
  block.RawText("regex", &rule.regex);
  if (has_regex && rule.field.empty()) {
    block.Error("regex",
                "a regex needs the field that it is for: log_type, stream, or one of the "
                "access line's");
  }
  if (absl::Status s = CompileLineRule(&rule); !s.ok()) {
    block.Error("regex", FromAbsl(s.message()));
  }
  ReadRate(block, &rule);
  block.Finish();
  return rule;
}

MappingWriter RuleBlock(const LogLineRule& rule) {
  MappingWriter block;
  block.Text("action", WordOf(kActions, rule.action)).Text("field", rule.field);
  if (!rule.field.empty()) block.WrittenText("regex", rule.regex);
  if (rule.action == Action::kSample) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof(text), rule.rate).ptr;
    block.Text("rate", std::string(text, end));
  }
  return block;
}

void ReadLines(MappingReader& block, LineLimits* lines) {
  constexpr char kKey[] = "max_line_size";
  uint64_t bytes = lines->max_line_bytes;
  block.Size(kKey, &bytes);
  if (bytes == 0 || bytes > kMaxConfiguredLineBytes) {
    block.Error(kKey,
                absl::StrCat("must be from 1 byte to ", kMaxConfiguredLineBytes >> 20, "MiB"));
  }
  lines->max_line_bytes = bytes;
  ReadWord(block, "long_lines", kLongLines, &lines->long_lines);
}

}  // namespace

void ReadLogLineSettings(MappingReader& block, LogJob* job) {
  ReadLines(block, &job->lines);
  ReadWord(block, "start", kStarts, &job->start);
  job->access = ReadAccessLog(block.Child("istio_access_log"));
  for (MappingReader& rule : block.Children("rules")) {
    if (rule.present()) job->rules.push_back(ReadRule(rule, job->access));
  }
  if (job->rules.size() > kMaxLineRules) {
    block.Error("rules", absl::StrCat("at most ", kMaxLineRules, " rules"));
  }
}

void WriteLogLineSettings(const LogJob& job, MappingWriter* block) {
  block->Size("max_line_size", job.lines.max_line_bytes)
      .Text("long_lines", WordOf(kLongLines, job.lines.long_lines))
      .Text("start", WordOf(kStarts, job.start));
  if (job.access.enabled) block->Child("istio_access_log", AccessLogBlock(job.access));
  std::vector<MappingWriter> rules;
  for (const LogLineRule& rule : job.rules) rules.push_back(RuleBlock(rule));
  block->Children("rules", std::move(rules));
}

}  // namespace ampari
