// LogJob and LogTarget: what discovery and relabelling produce and the tailer reads. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/labels/labels.h"
#include "common/relabel/relabel.h"
#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/line_joiner.h"

namespace re2 {
class RE2;
}

namespace ampari {

// Where a file begins that the gateway does not know.
enum class LogStart : uint8_t {
  kAuto,  // its beginning if it is younger than an hour before the producer's first contact, else
          // its end
  kBeginning,
  kEnd,
};

// A field of access lines that becomes a label of its stream, or structured metadata of its line.
struct PromotedField {
  std::string field;
  std::string name;  // of the label or metadata
};

// Which lines are shipped: the first rule that a line meets decides; a line that meets none is
// kept.
struct LogLineRule {
  enum class Action : uint8_t { kKeep, kDrop, kSample };
  Action action = Action::kKeep;
  std::string field;           // of the access line, or log_type, stream; empty: every line
  std::string regex = "(.*)";  // anchored, RE2
  double rate = 1;             // of kSample: the share that is kept, by a hash of the line
  std::shared_ptr<const re2::RE2> compiled;  // the regex; plans compile it where it is null
};

struct AccessLogOptions {
  bool enabled = false;
  std::vector<AccessLogFormat> formats;  // tried in turn; none: Istio's text and JSON
  std::vector<PromotedField> labels;     // none by default
  std::vector<PromotedField> metadata;
};

// One entry of log_configs after validation. Immutable, shared.
struct LogJob {
  std::string job_name;
  Relabeler relabel;
  LineLimits lines;
  LogStart start = LogStart::kAuto;
  AccessLogOptions access;
  std::vector<LogLineRule> rules;
};

// Files that match `path` (a glob), and the labels of their lines: log_type and, where set,
// promoted fields are added to them. `id` is equal for equal (labels, path).
struct LogTarget {
  std::shared_ptr<const LogJob> job;
  Labels labels;             // no name beginning with __
  Labels discovered_labels;  // before relabelling
  std::string path;
  std::string id;
};

// The whole of what should be read now; replaces the set before it.
struct LogTargetSet {
  std::vector<LogTarget> targets;
  uint64_t dropped_total = 0;
  std::vector<std::string> job_names;  // all jobs in force, with targets or without
};

}  // namespace ampari
