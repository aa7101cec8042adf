// LineRules: which lines of a job are shipped: the first rule that a line meets decides.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/line_plan.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/log_type.h"

namespace ampari {

// Where a rule's field is looked for. Other fields are those of access lines.
enum class RuleSubject : uint8_t { kEveryLine, kLogType, kStream, kAccessField };
RuleSubject RuleSubjectOf(std::string_view field);

// "stdout", "stderr".
std::string_view LogOutputName(LogOutput output);

// Compiles the rule's regex, which rules of one job then share; the other members stay.
// InvalidArgument: what RE2 says.
absl::Status CompileLineRule(LogLineRule* rule);

// Immutable, thread-safe.
class LineRules {
 public:
  // InvalidArgument: a regex that was not compiled yet and cannot be.
  static absl::StatusOr<LineRules> Make(std::vector<LogLineRule> rules);

  // Whether a rule asks for a field of access lines.
  bool needs_fields() const { return needs_fields_; }
  // kKept, kDropped or kSampledOut. A field that the line does not have is an empty text. A sample
  // is taken by a hash of the line and its time, so that a line read again fares as before.
  LineFate Decide(const JoinedLine& line, LogType type, const AccessFields& fields) const;

 private:
  struct Rule {
    LogLineRule written;
    RuleSubject subject = RuleSubject::kEveryLine;
  };
  static bool Meets(const Rule& rule, const JoinedLine& line, LogType type,
                    const AccessFields& fields);

  std::vector<Rule> rules_;
  bool needs_fields_ = false;
};

}  // namespace ampari
