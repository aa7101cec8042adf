#include "forwarder/discovery/kubernetes/api_answers.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "forwarder/discovery/kubernetes/attached_metadata.h"
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

// Likewise of what is attached: it adds nothing.
absl::StatusOr<DiscoveredPod> DiscoverBounded(const kubernetes::ApiObject& object,
                                              ApiResource resource, std::string* refused) {
  const kubernetes::ObjectMeta& metadata = object.metadata();
  if (metadata.name().empty()) return absl::InvalidArgumentError("an object without a name");
  absl::StatusOr<DiscoveredPod> discovered = DiscoverAttached(object, resource);
  if (discovered.ok()) return discovered;
  *refused = std::string(discovered.status().message());
  kubernetes::ApiObject bare;
  bare.mutable_metadata()->set_name(metadata.name());
  bare.mutable_metadata()->set_namespace_(metadata.namespace_());
  return DiscoverAttached(bare, resource);
}

const char* KindOf(ApiResource resource) {
  switch (resource) {
    case ApiResource::kPods:
      return "Pod";
    case ApiResource::kNodes:
      return "Node";
    case ApiResource::kNamespaces:
      return "Namespace";
    case ApiResource::kReplicaSets:
      return "ReplicaSet";
    case ApiResource::kJobs:
      break;
  }
  return "Job";
}

absl::StatusOr<WatchEvent> ParseErrorEvent(std::string_view line) {
  kubernetes::ErrorEvent event;
  if (absl::Status parsed = ParseJson(line, &event); !parsed.ok()) return parsed;
  if (event.type() != "ERROR")
    return absl::InvalidArgumentError("an event that is not about what was asked for");
  WatchEvent result;
  result.type = WatchEvent::Type::kError;
  result.status = FromStatus(event.object());
  return result;
}

// `discover` makes the value of one item.
template <typename List, typename Discover>
absl::StatusOr<PodPage> ParsePage(std::string_view json, ApiResource resource, Discover discover) {
  List list;
  if (absl::Status parsed = ParseJson(json, &list); !parsed.ok()) return parsed;
  if (list.kind() != absl::StrCat(KindOf(resource), "List") ||
      list.metadata().resource_version().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the answer is no ", KindOf(resource), "List with a resourceVersion"));
  }
  PodPage page;
  page.resource_version = list.metadata().resource_version();
  page.continue_token = list.metadata().continue_token();
  page.pods.reserve(static_cast<size_t>(list.items_size()));
  for (const auto& item : list.items()) {
    absl::StatusOr<DiscoveredPod> value = discover(item, &page.refused);
    if (!value.ok()) return value.status();
    page.pods.push_back(*std::move(value));
  }
  return page;
}

template <typename Event, typename Discover>
absl::StatusOr<WatchEvent> ParseEvent(std::string_view line, ApiResource resource,
                                      Discover discover) {
  Event event;
  // The `status` of a Status object is a text, that of a pod an object.
  if (!ParseJson(line, &event).ok() || event.type() == "ERROR") return ParseErrorEvent(line);
  const kubernetes::ObjectMeta& metadata = event.object().metadata();
  if (event.object().kind() != KindOf(resource) || metadata.resource_version().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("an event that is not about a ", KindOf(resource), " with a resourceVersion"));
  }
  WatchEvent result;
  result.resource_version = metadata.resource_version();
  if (event.type() == "BOOKMARK") {
    result.type = WatchEvent::Type::kBookmark;
    return result;
  }
  absl::StatusOr<DiscoveredPod> value = discover(event.object(), &result.refused);
  if (!value.ok()) return value.status();
  result.pod = *std::move(value);
  if (event.type() == "ADDED" || event.type() == "MODIFIED") {
    result.type = WatchEvent::Type::kUpsert;
  } else if (event.type() == "DELETED") {
    result.type = WatchEvent::Type::kRemove;
  } else {
    return absl::InvalidArgumentError("an event of an unknown type");
  }
  return result;
}

// Discovers pods, or what is attached to them.
struct Discoverer {
  ApiResource resource;
  absl::StatusOr<DiscoveredPod> operator()(const kubernetes::Pod& pod, std::string* refused) const {
    return DiscoverBounded(pod, refused);
  }
  absl::StatusOr<DiscoveredPod> operator()(const kubernetes::ApiObject& object,
                                           std::string* refused) const {
    return DiscoverBounded(object, resource, refused);
  }
};

}  // namespace

absl::StatusOr<PodPage> ParsePodPage(std::string_view json, ApiResource resource) {
  const Discoverer discover{resource};
  return resource == ApiResource::kPods
             ? ParsePage<kubernetes::PodList>(json, resource, discover)
             : ParsePage<kubernetes::ApiObjectList>(json, resource, discover);
}

absl::StatusOr<WatchEvent> ParseWatchEvent(std::string_view line, ApiResource resource) {
  const Discoverer discover{resource};
  return resource == ApiResource::kPods
             ? ParseEvent<kubernetes::PodEvent>(line, resource, discover)
             : ParseEvent<kubernetes::ApiObjectEvent>(line, resource, discover);
}

ApiStatus ParseApiStatus(std::string_view body) {
  kubernetes::Status status;
  if (!ParseJson(body, &status).ok()) return {};
  return FromStatus(status);
}

}  // namespace ampari
