// Sorts libcurl's results into the transport statuses of HttpResponse. Pure.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace ampari {

// `code` is a CURLcode, `detail` the text of its error buffer (may be empty).
absl::Status TransportStatus(int code, std::string_view detail);

}  // namespace ampari
