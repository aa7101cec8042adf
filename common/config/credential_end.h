// When a credential ends by itself: certificates by their validity, tokens by the claim `exp` where
// they are JSON web tokens (RFC 7519). For alerts only: nothing is verified. Pure but for
// ReadCredential.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/config/http_client_options.h"

namespace ampari {

// End of the first certificate of a PEM text, the one that is shown; nullopt when there is none.
std::optional<absl::Time> CertificateEnd(std::string_view pem);
// From when on a bundle of authorities holds no valid one: the latest end of its certificates.
std::optional<absl::Time> AuthoritiesEnd(std::string_view pem);
// nullopt: not a JSON web token, or one without `exp`, or longer than 64 KiB.
std::optional<absl::Time> TokenEnd(std::string_view token);

// The text of a credential given inline or by file; empty when there is none or it cannot be read.
std::string ReadCredential(const Secret& secret);

}  // namespace ampari
