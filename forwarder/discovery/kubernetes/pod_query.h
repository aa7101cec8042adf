// PodQuery: which pods one watched collection asks for, and the URLs of its requests. Pure. Source:
// Kubernetes API reference, "Kubernetes API concepts" (retrieving large results sets in chunks,
// resource versions).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ampari {

// Collections that are watched; all but pods only for what they add to a pod's labels.
enum class ApiResource : uint8_t { kPods, kNodes, kNamespaces, kReplicaSets, kJobs };

struct PodQuery {
  std::string namespace_name;  // empty: all namespaces; of nodes and namespaces always
  std::string label_selector, field_selector;
  ApiResource resource = ApiResource::kPods;
};

inline constexpr int kPodsPerPage = 500;    // as client-go's pager
inline constexpr int kMinPodsPerPage = 10;  // of pages that were too large before

// `selector` and spec.nodeName=`node`, unless `node` is empty or the selector names spec.nodeName
// itself.
std::string NodeFieldSelector(std::string_view selector, std::string_view node);

// `selector` and metadata.name=`name`, unless `name` is empty.
std::string NameFieldSelector(std::string_view selector, std::string_view name);

// The collection under `server` (without a slash at its end), with the selectors: what is shown of
// it.
std::string CollectionUrl(std::string_view server, const PodQuery& query);
// One page of at most `limit` pods. The first page may take any state that the server has at hand
// (`from_cache`), else it is the newest. Later pages repeat the query with the token; they must not
// name a version.
struct PageRequest {
  std::string continue_token;
  bool from_cache = false;
  int limit = kPodsPerPage;
};
std::string ListUrl(std::string_view server, const PodQuery& query, const PageRequest& page);
// What happens after `resource_version`, with bookmarks; the server ends it after
// `timeout_seconds`.
std::string WatchUrl(std::string_view server, const PodQuery& query,
                     std::string_view resource_version, int64_t timeout_seconds);

}  // namespace ampari
