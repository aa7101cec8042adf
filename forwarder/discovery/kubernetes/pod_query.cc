#include "forwarder/discovery/kubernetes/pod_query.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

// RFC 3986's unreserved characters as they are, all others percent-encoded.
std::string Escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

std::string_view Trimmed(std::string_view text) {
  return FromAbsl(absl::StripAsciiWhitespace(ToAbsl(text)));
}

// Terms are joined by commas; a value's own comma is escaped by a backslash.
bool NamesField(std::string_view selector, std::string_view field) {
  while (!selector.empty()) {
    size_t end = 0;
    while (end < selector.size() && selector[end] != ',') end += selector[end] == '\\' ? 2 : 1;
    const std::string_view term = selector.substr(0, end);
    if (Trimmed(term.substr(0, term.find_first_of("=!"))) == field) return true;
    selector.remove_prefix(std::min(selector.size(), end + 1));
  }
  return false;
}

// Adds name=value pairs to a URL.
class QueryBuilder {
 public:
  explicit QueryBuilder(std::string url) : url_(std::move(url)) {}

  void Add(std::string_view name, std::string_view value) {
    absl::StrAppend(&url_, first_ ? "?" : "&", ToAbsl(name), "=", Escaped(value));
    first_ = false;
  }
  void AddUnlessEmpty(std::string_view name, std::string_view value) {
    if (!value.empty()) Add(name, value);
  }
  std::string Take() { return std::move(url_); }

 private:
  std::string url_;
  bool first_ = true;
};

struct ResourcePath {
  const char* group;
  const char* name;
};

ResourcePath PathOf(ApiResource resource) {
  switch (resource) {
    case ApiResource::kPods:
      return {"/api/v1", "/pods"};
    case ApiResource::kNodes:
      return {"/api/v1", "/nodes"};
    case ApiResource::kNamespaces:
      return {"/api/v1", "/namespaces"};
    case ApiResource::kReplicaSets:
      return {"/apis/apps/v1", "/replicasets"};
    case ApiResource::kJobs:
      break;
  }
  return {"/apis/batch/v1", "/jobs"};
}

QueryBuilder Collection(std::string_view server, const PodQuery& query) {
  const ResourcePath path = PathOf(query.resource);
  const std::string within = query.namespace_name.empty()
                                 ? ""
                                 : absl::StrCat("/namespaces/", Escaped(query.namespace_name));
  QueryBuilder url(absl::StrCat(ToAbsl(server), path.group, within, path.name));
  url.AddUnlessEmpty("fieldSelector", query.field_selector);
  url.AddUnlessEmpty("labelSelector", query.label_selector);
  return url;
}

}  // namespace

std::string NodeFieldSelector(std::string_view selector, std::string_view node) {
  selector = Trimmed(selector);
  if (node.empty() || NamesField(selector, "spec.nodeName")) return std::string(selector);
  return absl::StrCat(ToAbsl(selector), selector.empty() ? "" : ",",
                      "spec.nodeName=", ToAbsl(node));
}

std::string NameFieldSelector(std::string_view selector, std::string_view name) {
  selector = Trimmed(selector);
  if (name.empty()) return std::string(selector);
  return absl::StrCat(ToAbsl(selector), selector.empty() ? "" : ",",
                      "metadata.name=", ToAbsl(name));
}

std::string CollectionUrl(std::string_view server, const PodQuery& query) {
  return Collection(server, query).Take();
}

std::string ListUrl(std::string_view server, const PodQuery& query, const PageRequest& page) {
  QueryBuilder url = Collection(server, query);
  url.Add("limit", absl::StrCat(page.limit));
  if (!page.continue_token.empty()) {
    url.Add("continue", page.continue_token);
  } else if (page.from_cache) {
    url.Add("resourceVersion", "0");
  }
  return url.Take();
}

std::string WatchUrl(std::string_view server, const PodQuery& query,
                     std::string_view resource_version, int64_t timeout_seconds) {
  QueryBuilder url = Collection(server, query);
  url.Add("watch", "true");
  url.Add("allowWatchBookmarks", "true");
  url.Add("resourceVersion", resource_version);
  url.Add("timeoutSeconds", absl::StrCat(timeout_seconds));
  return url.Take();
}

}  // namespace ampari
