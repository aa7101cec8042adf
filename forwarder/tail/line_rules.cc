#include "forwarder/tail/line_rules.h"

#include <re2/re2.h>
#include <xxhash.h>

#include <utility>

#include "common/relabel/regex.h"

namespace ampari {
namespace {

// Whether the line belongs to the share that is kept: its hash as a number from 0 to 1.
bool IsSampled(const JoinedLine& line, double rate) {
  const uint64_t hash =
      XXH3_64bits_withSeed(line.text.data(), line.text.size(), static_cast<uint64_t>(line.time_ns));
  constexpr int kMantissaBits = 53;
  const double share = static_cast<double>(hash >> (64 - kMantissaBits)) /
                       static_cast<double>(uint64_t{1} << kMantissaBits);
  return share < rate;
}

}  // namespace

std::string_view LogOutputName(LogOutput output) {
  return output == LogOutput::kStdout ? "stdout" : "stderr";
}

RuleSubject RuleSubjectOf(std::string_view field) {
  if (field.empty()) return RuleSubject::kEveryLine;
  if (field == "log_type") return RuleSubject::kLogType;
  return field == "stream" ? RuleSubject::kStream : RuleSubject::kAccessField;
}

absl::Status CompileLineRule(LogLineRule* rule) {
  auto regex = CompileRelabelRegex(rule->regex);
  if (!regex.ok()) return regex.status();
  rule->compiled = *std::move(regex);
  return absl::OkStatus();
}

absl::StatusOr<LineRules> LineRules::Make(std::vector<LogLineRule> rules) {
  LineRules result;
  for (LogLineRule& written : rules) {
    if (written.compiled == nullptr) {
      if (absl::Status s = CompileLineRule(&written); !s.ok()) return s;
    }
    const RuleSubject subject = RuleSubjectOf(written.field);
    result.needs_fields_ = result.needs_fields_ || subject == RuleSubject::kAccessField;
    result.rules_.push_back({std::move(written), subject});
  }
  return result;
}

bool LineRules::Meets(const Rule& rule, const JoinedLine& line, LogType type,
                      const AccessFields& fields) {
  std::string_view value;
  switch (rule.subject) {
    case RuleSubject::kEveryLine:
      return true;
    case RuleSubject::kLogType:
      value = LogTypeName(type);
      break;
    case RuleSubject::kStream:
      value = LogOutputName(line.output);
      break;
    case RuleSubject::kAccessField:
      value = fields.Get(rule.written.field);
      break;
  }
  return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()),
                                *rule.written.compiled);  // anchored by its compiler
}

LineFate LineRules::Decide(const JoinedLine& line, LogType type, const AccessFields& fields) const {
  for (const Rule& rule : rules_) {
    if (!Meets(rule, line, type, fields)) continue;
    switch (rule.written.action) {
      case LogLineRule::Action::kKeep:
        return LineFate::kKept;
      case LogLineRule::Action::kDrop:
        return LineFate::kDropped;
      case LogLineRule::Action::kSample:
        return IsSampled(line, rule.written.rate) ? LineFate::kKept : LineFate::kSampledOut;
    }
  }
  return LineFate::kKept;
}

}  // namespace ampari
