// Arbitrary bytes as the body of a watch or a list of pods: pieces make no difference to the lines,
// and what is taken for an event or a page has what its users rely on.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/runtime/check.h"
#include "forwarder/discovery/kubernetes/api_answers.h"
#include "forwarder/discovery/kubernetes/watch_lines.h"

namespace ampari {
namespace {

std::vector<std::string> Lines(std::string_view body, size_t piece) {
  WatchLines cutter;
  std::vector<std::string> lines;
  for (size_t at = 0; at < body.size(); at += piece) {
    const absl::Status status = cutter.Add(body.substr(at, piece), [&](std::string_view line) {
      lines.emplace_back(line);
      return absl::OkStatus();
    });
    Check(status.ok(), "a short body has no long line");
  }
  return lines;
}

void CheckEvent(std::string_view line) {
  const auto event = ParseWatchEvent(line);
  if (!event.ok() || event->type == WatchEvent::Type::kError) return;
  Check(!event->resource_version.empty(), "an event without a version");
  if (event->type == WatchEvent::Type::kBookmark) return;
  Check(event->pod.key.size() >= 3 && event->pod.key.find('/') != std::string::npos,
        "an event of a pod without a key");
}

void Run(std::string_view body) {
  if (body.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(body[0]) % 64;
  body.remove_prefix(1);
  const std::vector<std::string> lines = Lines(body, body.size() + 1);
  Check(lines == Lines(body, piece), "pieces make no difference");
  for (const std::string& line : lines) CheckEvent(line);
  (void)ParseApiStatus(body);
  const auto page = ParsePodPage(body);
  if (!page.ok()) return;
  Check(!page->resource_version.empty(), "a page without a version");
  for (const DiscoveredPod& pod : page->pods) Check(!pod.key.empty(), "a pod without a key");
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
