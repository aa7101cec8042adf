#include "forwarder/discovery/kubernetes/api_answers.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "kubernetes/core.pb.h"

namespace ampari {
namespace {

constexpr size_t kMaxWordsBytes = 256;

absl::Status ParseJson(std::string_view json, google::protobuf::Message* message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message, options);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not the JSON that was expected: ",
                   std::string(status.message().data(),
                               std::min<size_t>(status.message().size(), kMaxWordsBytes))));
}

std::string PrintableWords(std::string text) {
  if (text.size() > kMaxWordsBytes) text.resize(kMaxWordsBytes);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c >= 0x7f; }, ' ');
  return text;
}

ApiStatus FromStatus(const kubernetes::Status& status) {
  ApiStatus result;
  result.code = status.code();
  result.words = PrintableWords(status.message().empty() ? status.reason() : status.message());
  result.version_too_large =
      absl::StartsWith(status.message(), "Too large resource version") ||
      absl::StartsWith(status.message(), "Timeout: Too large resource version") ||
      std::any_of(status.details().causes().begin(), status.details().causes().end(),
                  [](const auto& cause) { return cause.reason() == "ResourceVersionTooLarge"; });
  result.retry_after = absl::Seconds(std::max(0, status.details().retry_after_seconds()));
  return result;
}

// A pod beyond a bound stays known without targets: one pod must not stop discovery of all others.
absl::StatusOr<DiscoveredPod> DiscoverBounded(const kubernetes::Pod& pod, std::string* refused) {
  if (pod.metadata().name().empty() || pod.metadata().namespace_().empty()) {
    return absl::InvalidArgumentError("a pod without a name or namespace");
  }
  absl::StatusOr<DiscoveredPod> discovered = DiscoverPod(pod);
  if (discovered.ok()) return discovered;
  DiscoveredPod empty;
  empty.key = absl::StrCat(pod.metadata().namespace_(), "/", pod.metadata().name());
  *refused = absl::StrCat("pod ", empty.key, " gets no targets: ", discovered.status().message());
  return empty;
}

absl::StatusOr<WatchEvent> ParseErrorEvent(std::string_view line) {
  kubernetes::ErrorEvent event;
  if (absl::Status parsed = ParseJson(line, &event); !parsed.ok()) return parsed;
  if (event.type() != "ERROR")
    return absl::InvalidArgumentError("an event that is not about a pod");
  WatchEvent result;
  result.type = WatchEvent::Type::kError;
  result.status = FromStatus(event.object());
  return result;
}

}  // namespace

absl::StatusOr<PodPage> ParsePodPage(std::string_view json) {
  kubernetes::PodList list;
  if (absl::Status parsed = ParseJson(json, &list); !parsed.ok()) return parsed;
  if (list.kind() != "PodList" || list.metadata().resource_version().empty()) {
    return absl::InvalidArgumentError("the answer is no PodList with a resourceVersion");
  }
  PodPage page;
  page.resource_version = list.metadata().resource_version();
  page.continue_token = list.metadata().continue_token();
  page.pods.reserve(static_cast<size_t>(list.items_size()));
  for (const kubernetes::Pod& item : list.items()) {
    absl::StatusOr<DiscoveredPod> pod = DiscoverBounded(item, &page.refused);
    if (!pod.ok()) return pod.status();
    page.pods.push_back(*std::move(pod));
  }
  return page;
}

absl::StatusOr<WatchEvent> ParseWatchEvent(std::string_view line) {
  kubernetes::PodEvent event;
  // The `status` of a Status object is a text, that of a pod an object.
  if (!ParseJson(line, &event).ok() || event.type() == "ERROR") return ParseErrorEvent(line);
  const kubernetes::ObjectMeta& metadata = event.object().metadata();
  if (event.object().kind() != "Pod" || metadata.resource_version().empty()) {
    return absl::InvalidArgumentError("an event that is not about a pod with a resourceVersion");
  }
  WatchEvent result;
  result.resource_version = metadata.resource_version();
  if (event.type() == "BOOKMARK") {
    result.type = WatchEvent::Type::kBookmark;
    return result;
  }
  absl::StatusOr<DiscoveredPod> pod = DiscoverBounded(event.object(), &result.refused);
  if (!pod.ok()) return pod.status();
  result.pod = *std::move(pod);
  if (event.type() == "ADDED" || event.type() == "MODIFIED") {
    result.type = WatchEvent::Type::kUpsert;
  } else if (event.type() == "DELETED") {
    result.type = WatchEvent::Type::kRemove;
  } else {
    return absl::InvalidArgumentError("an event of an unknown type");
  }
  return result;
}

ApiStatus ParseApiStatus(std::string_view body) {
  kubernetes::Status status;
  if (!ParseJson(body, &status).ok()) return {};
  return FromStatus(status);
}

}  // namespace ampari
