#include "forwarder/scrape/scrape_totals.h"

namespace ampari {

std::string_view FailureName(ScrapeFailure failure) {
  switch (failure) {
    case ScrapeFailure::kNone:
      return "none";
    case ScrapeFailure::kConnection:
      return "connection";
    case ScrapeFailure::kTimeout:
      return "timeout";
    case ScrapeFailure::kTls:
      return "tls";
    case ScrapeFailure::kHttpStatus:
      return "http_status";
    case ScrapeFailure::kContentType:
      return "content_type";
    case ScrapeFailure::kBodySize:
      return "body_size";
    case ScrapeFailure::kTargetLimit:
      return "target_limit";
    case ScrapeFailure::kParse:
      return "parse";
    case ScrapeFailure::kLimit:
      return "limit";
  }
  return "";
}

}  // namespace ampari
