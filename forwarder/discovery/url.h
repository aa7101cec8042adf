// The URL of a target, built from its labels as Prometheus does (scrape/target.go, URL; Go's
// net/url). Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/labels/labels.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// __scheme__://__address__/__metrics_path__ and the job's params in the order of their names, the
// first value of each replaced by __param_<name>. What is not allowed in its place is
// percent-encoded, a '?' in the path too.
std::string TargetUrl(const Labels& labels, const ScrapeJob& job);

}  // namespace ampari
