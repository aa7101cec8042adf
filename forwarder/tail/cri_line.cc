#include <string_view>

#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

// The text before the next space, which is taken too; the rest when there is none.
std::string_view TakeWord(std::string_view* rest) {
  const size_t space = rest->find(' ');
  const std::string_view word = rest->substr(0, space);
  rest->remove_prefix(space == std::string_view::npos ? rest->size() : space + 1);
  return word;
}

}  // namespace

bool ParseCriLine(std::string_view line, RuntimeLine* out) {
  const std::optional<int64_t> time = ParseRfc3339Nanos(TakeWord(&line));
  if (!time) return false;
  const std::string_view output = TakeWord(&line);
  if (output != "stdout" && output != "stderr") return false;
  const std::string_view tags = TakeWord(&line);
  if (tags.empty()) return false;
  out->output = output == "stdout" ? LogOutput::kStdout : LogOutput::kStderr;
  out->time_ns = *time;
  out->partial = tags.substr(0, tags.find(':')) == "P";
  out->text = line;
  return true;
}

}  // namespace ampari
