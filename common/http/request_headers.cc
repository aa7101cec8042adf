#include "common/http/request_headers.h"

#include <set>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

bool IsHeaderName(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool IsHeaderValue(std::string_view value) {
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < ' ' && c != '\t') || u == 0x7f) return false;
  }
  return true;
}

// Collects lines; a name that is already there keeps its earlier lines.
class HeaderLines {
 public:
  bool Has(std::string_view name) const {
    return names_.count(absl::AsciiStrToLower(ToAbsl(name))) > 0;
  }

  absl::Status Add(std::string_view name, std::string_view value) {
    if (!IsHeaderName(name)) return absl::InvalidArgumentError("not a header name");
    if (!IsHeaderValue(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the value of header ", ToAbsl(name), " holds control characters"));
    }
    names_.insert(absl::AsciiStrToLower(ToAbsl(name)));
    lines_.push_back(value.empty() ? absl::StrCat(ToAbsl(name), ";")
                                   : absl::StrCat(ToAbsl(name), ": ", ToAbsl(value)));
    return absl::OkStatus();
  }

  // libcurl would add a default of its own.
  void LeaveOut(std::string_view name) {
    if (!Has(name)) lines_.push_back(absl::StrCat(ToAbsl(name), ":"));
  }

  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  std::set<std::string> names_;
  std::vector<std::string> lines_;
};

absl::StatusOr<std::string> Authorization(const HttpClientOptions& options, FileCache& files) {
  if (options.has_basic_auth) {
    absl::StatusOr<std::string> user = files.ReadSecret(options.username);
    if (!user.ok()) return user.status();
    absl::StatusOr<std::string> password = files.ReadSecret(options.password);
    if (!password.ok()) return password.status();
    return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(*user, ":", *password)));
  }
  if (options.authorization_type.empty()) return std::string();
  absl::StatusOr<std::string> credentials = files.ReadSecret(options.credentials);
  if (!credentials.ok()) return credentials.status();
  return absl::StrCat(options.authorization_type, " ", *credentials);
}

absl::Status AddOptionHeader(const HttpHeader& header, FileCache& files, HeaderLines& lines) {
  if (lines.Has(header.name)) return absl::OkStatus();
  for (const std::string& value : header.values) {
    if (absl::Status added = lines.Add(header.name, value); !added.ok()) return added;
  }
  for (const Secret& secret : header.secrets) {
    absl::StatusOr<std::string> value = files.ReadSecret(secret);
    if (!value.ok()) return value.status();
    if (absl::Status added = lines.Add(header.name, *value); !added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status AddOptions(const HttpClientOptions& options, FileCache& files, HeaderLines& lines) {
  if (!lines.Has("authorization")) {
    absl::StatusOr<std::string> value = Authorization(options, files);
    if (!value.ok()) return value.status();
    if (!value->empty()) {
      if (absl::Status added = lines.Add("Authorization", *value); !added.ok()) return added;
    }
  }
  for (const HttpHeader& header : options.headers) {
    if (absl::Status added = AddOptionHeader(header, files, lines); !added.ok()) return added;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RequestHeaderLines(const HttpRequest& request,
                                                            bool with_options, FileCache& files) {
  HeaderLines lines;
  for (const auto& [name, value] : request.headers) {
    const bool credential =
        absl::EqualsIgnoreCase(name, "authorization") || absl::EqualsIgnoreCase(name, "cookie");
    if (credential && !with_options) continue;
    if (absl::Status added = lines.Add(name, value); !added.ok()) return added;
  }
  if (with_options && request.options != nullptr) {
    if (absl::Status added = AddOptions(*request.options, files, lines); !added.ok()) return added;
  }
  if (!lines.Has("user-agent")) {
    if (absl::Status added = lines.Add("User-Agent", "ampari/" AMPARI_VERSION); !added.ok()) {
      return added;
    }
  }
  lines.LeaveOut("Expect");
  lines.LeaveOut("Content-Type");
  return lines.Take();
}

}  // namespace ampari
