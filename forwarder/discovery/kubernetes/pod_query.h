// PodQuery: which pods one watched collection asks for, and the URLs of its requests. Pure. Source:
// Kubernetes API reference, "Kubernetes API concepts" (retrieving large results sets in chunks,
// resource versions).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ampari {

struct PodQuery {
  std::string namespace_name;  // empty: all namespaces
  std::string label_selector, field_selector;
};

inline constexpr int kPodsPerPage = 500;

// `selector` and spec.nodeName=`node`, unless `node` is empty or the selector names spec.nodeName
// itself.
std::string NodeFieldSelector(std::string_view selector, std::string_view node);

// The collection under `server` (without a slash at its end), with the selectors: what is shown of
// it.
std::string CollectionUrl(std::string_view server, const PodQuery& query);
// One page. The first page may take any state that the server has at hand (`from_cache`), else it
// is the newest. Later pages repeat the query with the token; they must not name a version.
std::string ListUrl(std::string_view server, const PodQuery& query, std::string_view continue_token,
                    bool from_cache);
// What happens after `resource_version`, with bookmarks; the server ends it after
// `timeout_seconds`.
std::string WatchUrl(std::string_view server, const PodQuery& query,
                     std::string_view resource_version, int64_t timeout_seconds);

}  // namespace ampari
