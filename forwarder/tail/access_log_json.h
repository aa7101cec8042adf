// Access lines in JSON: every scalar of one object as a field. Pure.
#pragma once

#include <string_view>

#include "forwarder/tail/access_log_format.h"

namespace ampari {

// Fields of nested objects are named outer.inner; lists, null and "-" are passed over, and so are
// fields whose joined names exceed, all together, eight times the line's size. False, with
// anything in *out, when the line is not one whole object, nests deeper than eight objects or has
// more than 256 fields.
bool ParseAccessJson(std::string_view line, AccessFields* out);

}  // namespace ampari
