// Arbitrary bytes as lines of a container's log file, and as access lines of every format.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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

using Lines = std::vector<std::pair<LogOutput, std::string>>;

// Reads the file's lines from `from` on until `stop`, or the first newline behind it; gives how far
// it came. Positions never pass what was read.
LogPosition Read(std::string_view file, LogPosition from, size_t stop, Lines* out) {
  LineJoiner joiner({64, LongLines::kCut}, from);
  std::string buffer;
  for (size_t begin = std::min(from.out, from.err); begin < std::min(stop, file.size());) {
    const size_t newline = std::min(file.find('\n', begin), file.size());
    const std::string_view text = file.substr(begin, newline - begin);
    RuntimeLine line;
    if (ParseCriLine(text, &line) || ParseDockerLine(text, &line, &buffer)) {
      const auto whole = joiner.Take(line, begin, newline + 1);
      if (whole) {
        Check(whole->text.size() <= 64, "lines are cut");
        ReadAccess(whole->text);
        out->emplace_back(whole->output, whole->text);
      }
    }
    begin = newline + 1;
    const LogPosition now = joiner.position();
    Check(now.out <= std::max<uint64_t>(begin, from.out), "only what was read");
    Check(now.err <= std::max<uint64_t>(begin, from.err), "only what was read");
  }
  return joiner.position();
}

// Read in one go, or left off anywhere and resumed from the position: the same lines.
void ReadFile(std::string_view file) {
  Lines whole, resumed;
  Read(file, {}, file.size(), &whole);
  const size_t stop = file.empty() ? 0 : static_cast<uint8_t>(file.back()) * file.size() / 256;
  const LogPosition left_off = Read(file, {}, stop, &resumed);
  Read(file, left_off, file.size(), &resumed);
  for (const LogOutput output : {LogOutput::kStdout, LogOutput::kStderr}) {
    const auto other = [output](const auto& line) { return line.first != output; };
    Lines one = whole, two = resumed;
    std::erase_if(one, other);
    std::erase_if(two, other);
    Check(one == two, "a resumed file has each line once");
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
