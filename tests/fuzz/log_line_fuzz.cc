// Arbitrary bytes as lines of a container's log file, and as access lines of every format.
#include <algorithm>
#include <string>

#include "common/runtime/check.h"
#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/log_type.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

void ReadAccess(std::string_view line) {
  static const AccessLogFormat now = *AccessLogFormat::Text(kIstioTextFormat);
  static const AccessLogFormat before = *AccessLogFormat::Text(kIstioTextFormatBefore19);
  static const AccessLogFormat json = AccessLogFormat::Json();
  (void)ClassifyLine(line);
  AccessFields fields;
  for (const AccessLogFormat* format : {&now, &before, &json}) {
    if (!format->Parse(line, &fields)) continue;
    for (const auto& [name, value] : fields.values)
      Check(!name.empty() && !value.empty(), "fields say something");
  }
}

// The file's lines, one after the other; positions never pass what was read.
void ReadFile(std::string_view file) {
  LineJoiner joiner({64, LongLines::kCut}, {});
  std::string buffer;
  for (size_t begin = 0; begin < file.size();) {
    const size_t newline = std::min(file.find('\n', begin), file.size());
    const std::string_view text = file.substr(begin, newline - begin);
    RuntimeLine line;
    if (ParseCriLine(text, &line) || ParseDockerLine(text, &line, &buffer)) {
      const auto whole = joiner.Take(line, begin, newline + 1);
      if (whole) {
        Check(whole->text.size() <= 64, "lines are cut");
        ReadAccess(whole->text);
      }
    }
    begin = newline + 1;
    Check(joiner.position().out <= begin && joiner.position().err <= begin, "only what was read");
  }
}

void Run(std::string_view bytes) {
  const size_t split = bytes.find('\x1e');
  (void)AccessLogFormat::Text(bytes.substr(0, split));
  ReadAccess(bytes);
  ReadFile(bytes);
  if (split == std::string_view::npos) return;
  AccessFields fields;
  const auto format = AccessLogFormat::Text(bytes.substr(0, split));
  if (format.ok()) (void)format->Parse(bytes.substr(split + 1), &fields);
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
