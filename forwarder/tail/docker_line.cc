#include <string>
#include <string_view>

#include "forwarder/tail/json_text.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

struct DockerFields {
  std::string_view log, stream, time;  // between their quotes
  bool has_log = false;
};

bool TakeField(JsonText* json, DockerFields* fields) {
  std::string_view key, value;
  if (!json->TakeString(&key) || !json->TakeMark(':')) return false;
  if (key != "log" && key != "stream" && key != "time") return json->SkipValue();
  if (!json->TakeString(&value)) return false;
  if (key == "log") {
    fields->log = value;
    fields->has_log = true;
  } else {
    (key == "stream" ? fields->stream : fields->time) = value;
  }
  return true;
}

bool ReadFields(std::string_view line, DockerFields* fields) {
  JsonText json(line);
  if (!json.TakeMark('{')) return false;
  if (json.TakeMark('}')) return json.done();
  do {
    if (!TakeField(&json, fields)) return false;
  } while (json.TakeMark(','));
  return json.TakeMark('}') && json.done();
}

}  // namespace

bool ParseDockerLine(std::string_view line, RuntimeLine* out, std::string* buffer) {
  DockerFields fields;
  if (!ReadFields(line, &fields) || !fields.has_log) return false;
  if (fields.stream != "stdout" && fields.stream != "stderr") return false;
  const std::optional<int64_t> time = ParseRfc3339Nanos(fields.time);
  if (!time) return false;
  std::string_view text = fields.log;
  if (text.find('\\') != std::string_view::npos) {
    UnescapeJson(text, buffer);
    text = *buffer;
  }
  out->output = fields.stream == "stdout" ? LogOutput::kStdout : LogOutput::kStderr;
  out->time_ns = *time;
  out->partial = !text.ends_with('\n');
  if (!out->partial) text.remove_suffix(1);
  if (!out->partial && text.ends_with('\r')) text.remove_suffix(1);
  out->text = text;
  return true;
}

}  // namespace ampari
