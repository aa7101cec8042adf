// Redaction: cuts a destination's secrets out of what its region says, which may repeat them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/http_client_options.h"
#include "common/config/secret.h"

namespace ampari {

inline constexpr std::string_view kRedacted = "<secret>";

// `text` with each occurrence of a secret replaced by kRedacted, longer secrets first. Pure.
std::string Redacted(std::string_view text, std::vector<std::string> secrets);

// Everything secret of one destination: password, credentials, header values (but for the
// tenant's), what a URL carries besides host and path, and the base64 of user and password. Not
// thread-safe.
class DestinationSecrets {
 public:
  DestinationSecrets() = default;
  DestinationSecrets(const std::string& url, const HttpClientOptions& http);

  // As the files are now, and as they were before their last change: an answer may repeat either.
  // A file that cannot be read gives what it gave before.
  std::vector<std::string> Current();

 private:
  struct Source {
    std::unique_ptr<SecretSource> source;
    std::string latest, previous;
  };
  void Add(const Secret& secret);
  void AddUrl(std::string_view url);

  bool has_basic_auth_ = false;
  std::vector<Source> sources_;  // the first two: user and password of basic_auth
  std::vector<std::string> fixed_;
};

}  // namespace ampari
