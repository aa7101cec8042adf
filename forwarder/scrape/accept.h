// Content negotiation of a scrape: what is asked for and what an answer's Content-Type means, as in
// Prometheus 3 (scrape/scrape.go, acceptHeader; model/textparse/interface.go, extractMediaType).
// Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// The Accept header for the protocols in order of preference. Names are escaped with underscores
// (the legacy naming scheme), protobuf is never offered.
std::string AcceptHeader(std::span<const ScrapeProtocol> protocols);

// Seconds in the shortest decimal form, without an exponent: 10, 2.5.
std::string TimeoutHeader(absl::Duration timeout);

// The media type in lower case; InvalidArgument unless `content_type` is a well-formed type with
// well-formed parameters.
absl::StatusOr<std::string> ParseMediaType(std::string_view content_type);

// The format of a body that is not empty. Parameters of the media type are ignored; a missing,
// malformed or unknown type is InvalidArgument, in words for people, unless the job has a fallback.
// Protobuf is always refused.
absl::StatusOr<ScrapeProtocol> ProtocolOf(std::string_view content_type, const ScrapeJob& job);

// As it is written in scrape_protocols: PrometheusText0.0.4, ...
std::string_view ProtocolName(ScrapeProtocol protocol);

}  // namespace ampari
