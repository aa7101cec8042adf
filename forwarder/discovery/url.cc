#include "forwarder/discovery/url.h"

#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr std::string_view kParamPrefix = "__param_";
constexpr std::string_view kUnreserved = "-_.~";
constexpr std::string_view kPathToo = "$&+,/:;=@";
constexpr std::string_view kHostToo = "!$&'()*+,;=:[]<>\"";

// Percent-encodes what is neither alphanumeric nor in `kept`.
void AppendEscaped(std::string_view text, std::string_view kept, std::string* out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || kUnreserved.find(c) != std::string_view::npos ||
        kept.find(c) != std::string_view::npos) {
      out->push_back(c);
      continue;
    }
    constexpr std::string_view kHex = "0123456789ABCDEF";
    out->push_back('%');
    out->push_back(kHex[byte >> 4]);
    out->push_back(kHex[byte & 15]);
  }
}

void AppendQueryEscaped(std::string_view text, std::string* out) {
  size_t begin = 0;
  while (true) {
    const size_t space = text.find(' ', begin);
    AppendEscaped(text.substr(begin, space - begin), "", out);
    if (space == std::string_view::npos) return;
    out->push_back('+');
    begin = space + 1;
  }
}

std::map<std::string, std::vector<std::string>> Params(const Labels& labels, const ScrapeJob& job) {
  std::map<std::string, std::vector<std::string>> params(job.params.begin(), job.params.end());
  for (const Label label : labels) {
    if (!label.name.starts_with(kParamPrefix)) continue;
    std::vector<std::string>& values = params[std::string(label.name.substr(kParamPrefix.size()))];
    if (values.empty()) values.emplace_back();
    values.front() = std::string(label.value);
  }
  return params;
}

}  // namespace

std::string TargetUrl(const Labels& labels, const ScrapeJob& job) {
  std::string url = absl::StrCat(ToAbsl(labels.Get("__scheme__")), "://");
  AppendEscaped(labels.Get("__address__"), kHostToo, &url);
  const std::string_view path = labels.Get("__metrics_path__");
  if (!path.empty() && path.front() != '/') url.push_back('/');
  AppendEscaped(path, kPathToo, &url);
  char separator = '?';
  for (const auto& [name, values] : Params(labels, job)) {
    for (const std::string& value : values) {
      url.push_back(separator);
      AppendQueryEscaped(name, &url);
      url.push_back('=');
      AppendQueryEscaped(value, &url);
      separator = '&';
    }
  }
  return url;
}

}  // namespace ampari
