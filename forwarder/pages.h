// Pages: what the forwarder answers over HTTP. Pure routing; the program behind it is given as
// functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/http/server.h"

namespace ampari {

enum class PageForm { kJson, kText, kHtml };

// Called from the server's threads, several at once; all are set.
struct ForwarderPages {
  std::function<std::string(PageForm)> targets;
  std::function<std::string()> metrics;  // text 0.0.4
  std::function<bool()> ready;           // the first targets are known, and it is not stopping
  std::function<bool()> welcomed;        // a gateway has welcomed this instance
  std::function<absl::Status()> reload;  // takes the configuration over, or not at all
  std::function<bool(std::string_view token)> is_token;  // of the configuration's http block
};

// /targets is JSON; ?format=text (or html, or json) and, without format, an Accept header that
// names text/html give a page instead, to which no script, style or frame is allowed.
//
// GET (or HEAD) of /, /targets, /metrics, /-/healthy and /-/ready; /-/ready?wait=gateway also asks
// for a first welcome, so that a rolling update stops while the gateways are away; POST of
// /-/reload from loopback or with the token as `Authorization: Bearer`. 404 for other paths, 405
// for other methods, 400 for another format, 403 without permission, 500 with the reason when a
// reload fails.
ServerResponse AnswerPage(const ForwarderPages& pages, const ServerRequest& request);

}  // namespace ampari
