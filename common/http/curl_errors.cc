#include "common/http/curl_errors.h"

#include <curl/curl.h>

#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A handshake ends either because one side refuses the other, which a human must settle, or because
// the connection broke.
bool IsTlsRefusal(int code, std::string_view detail) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
      return true;
    case CURLE_SSL_CONNECT_ERROR:
      return !Contains(detail, "SSL_ERROR_SYSCALL") && !Contains(detail, "unexpected eof") &&
             !Contains(detail, "Connection reset");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return Contains(detail, "alert");  // TLS 1.3 refuses a client certificate late
    default:
      return false;
  }
}

}  // namespace

absl::Status TransportStatus(int code, std::string_view detail) {
  if (code == CURLE_OK) return absl::OkStatus();
  if (detail.empty()) detail = curl_easy_strerror(static_cast<CURLcode>(code));
  if (IsTlsRefusal(code, detail)) return absl::PermissionDeniedError(ToAbsl(detail));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(ToAbsl(detail));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(ToAbsl(detail));
    case CURLE_FILESIZE_EXCEEDED:
      return absl::ResourceExhaustedError(ToAbsl(detail));
    default:
      return absl::UnavailableError(ToAbsl(detail));
  }
}

}  // namespace ampari
