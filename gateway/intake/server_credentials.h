// Credentials of the gRPC server: TLS from files that are read again when they change, or plaintext
// when it was asked for.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class ServerCredentials;
}

namespace ampari {

// A new certificate serves connections that are made this long after its files changed, at the
// latest.
inline constexpr absl::Duration kCertificateRefresh = absl::Seconds(5);

struct CertificateFiles {
  std::string cert_file, key_file;
};

// The end of the certificate's validity. InvalidArgument (naming the file, never its content) when
// a file cannot be read or parsed, when the key does not belong to the certificate.
absl::StatusOr<absl::Time> CheckCertificate(const CertificateFiles& files);

// TLS 1.2 or later, after CheckCertificate.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsCredentials(
    const CertificateFiles& files);

}  // namespace ampari
