// The header lines of one request: those of the request, credentials, those of the options, in this
// order of precedence.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/http/file_cache.h"
#include "common/http/loop.h"

namespace ampari {

// Lines in libcurl's form ("Name: value", "Name;" for an empty value, "Name:" to leave out a
// default). `with_options` false leaves out everything that comes from the options, as for a
// redirect to another origin; Authorization and Cookie of the request itself are then left out too.
// PermissionDenied when a secret file cannot be read; InvalidArgument for a name or value that is
// no header.
absl::StatusOr<std::vector<std::string>> RequestHeaderLines(const HttpRequest& request,
                                                            bool with_options, FileCache& files);

}  // namespace ampari
