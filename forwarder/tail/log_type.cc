#include "forwarder/tail/log_type.h"

#include "forwarder/tail/json_text.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

// [2019-11-13 15:03:14.836][15][warning]…, Envoy's own log before 1.7.
bool IsOldEnvoyLine(std::string_view line) {
  return line.size() > 26 && line[11] == ' ' && line[14] == ':' && line[20] == '.' &&
         line.substr(24, 2) == "][";
}

LogType OfBracket(std::string_view line) {
  const size_t end = line.find(']');
  if (end == std::string_view::npos) return LogType::kOther;
  if (ParseRfc3339Nanos(line.substr(1, end - 1)).has_value() && line.substr(end, 3) == "] \"") {
    return LogType::kAccess;
  }
  return IsOldEnvoyLine(line) ? LogType::kEnvoy : LogType::kOther;
}

LogType OfScope(std::string_view scope) {
  if (scope == "access") return LogType::kAccess;
  return scope == "envoy" || scope.starts_with("envoy ") ? LogType::kEnvoy : LogType::kAgent;
}

// <time> TAB level TAB [scope TAB] message.
LogType OfTabs(std::string_view line) {
  const size_t time_end = line.find('\t');
  if (time_end == std::string_view::npos ||
      !ParseRfc3339Nanos(line.substr(0, time_end)).has_value()) {
    return LogType::kOther;
  }
  const std::string_view rest = line.substr(time_end + 1);
  const size_t level_end = rest.find('\t');
  if (level_end == std::string_view::npos) return LogType::kOther;
  const std::string_view behind = rest.substr(level_end + 1);
  const size_t scope_end = behind.find('\t');
  return scope_end == std::string_view::npos ? LogType::kAgent
                                             : OfScope(behind.substr(0, scope_end));
}

struct JsonKeys {
  bool start_time = false, outcome = false;  // of an access line
  bool level = false, time = false, message = false;
  std::string_view scope;
};

void Note(std::string_view key, JsonKeys* keys) {
  keys->start_time |= key == "start_time";
  keys->outcome |= key == "response_code" || key == "bytes_sent" || key == "bytes_received" ||
                   key == "connection_termination_details";
  keys->level |= key == "level";
  keys->time |= key == "time";
  keys->message |= key == "msg" || key == "message";
}

// False: it is not one whole object; an access line is known before its end.
bool ReadKeys(std::string_view line, JsonKeys* keys) {
  JsonText json(line);
  if (!json.TakeMark('{')) return false;
  do {
    std::string_view key;
    if (!json.TakeString(&key) || !json.TakeMark(':')) return false;
    Note(key, keys);
    if (keys->start_time && keys->outcome) return true;
    const bool scope = key == "scope" && json.AtString();
    if (scope ? !json.TakeString(&keys->scope) : !json.SkipValue()) return false;
  } while (json.TakeMark(','));
  return json.TakeMark('}') && json.done();
}

LogType OfJson(std::string_view line) {
  JsonKeys keys;
  if (!ReadKeys(line, &keys)) return LogType::kOther;
  if (keys.start_time && keys.outcome) return LogType::kAccess;
  if (!keys.level || !keys.time || !keys.message) return LogType::kOther;
  return OfScope(keys.scope);
}

}  // namespace

std::string_view LogTypeName(LogType type) {
  switch (type) {
    case LogType::kAccess:
      return "access";
    case LogType::kAgent:
      return "agent";
    case LogType::kEnvoy:
      return "envoy";
    case LogType::kOther:
      break;
  }
  return "other";
}

LogType ClassifyLine(std::string_view line) {
  if (line.empty()) return LogType::kOther;
  if (line[0] == '[') return OfBracket(line);
  if (line[0] == '{') return OfJson(line);
  return line[0] >= '0' && line[0] <= '9' ? OfTabs(line) : LogType::kOther;
}

}  // namespace ampari
