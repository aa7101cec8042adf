#include "gateway/intake/server_credentials.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

absl::Status Unusable(const std::string& file, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", ToAbsl(why)));
}

// Without asking a terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return 0; }

}  // namespace

absl::StatusOr<absl::Time> CheckCertificate(const CertificateFiles& files) {
  std::unique_ptr<BIO, FreeBio> cert_file(BIO_new_file(files.cert_file.c_str(), "r"));
  if (!cert_file) return Unusable(files.cert_file, "cannot be read");
  std::unique_ptr<BIO, FreeBio> key_file(BIO_new_file(files.key_file.c_str(), "r"));
  if (!key_file) return Unusable(files.key_file, "cannot be read");
  std::unique_ptr<X509, FreeCertificate> certificate(
      PEM_read_bio_X509(cert_file.get(), nullptr, nullptr, nullptr));
  if (!certificate) return Unusable(files.cert_file, "holds no PEM certificate");
  std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(key_file.get(), nullptr, NoPassword, nullptr));
  if (!key) return Unusable(files.key_file, "holds no PEM private key without a password");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Unusable(files.key_file, absl::StrCat("is not the key of ", files.cert_file));
  }
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return Unusable(files.cert_file, "has no readable end of validity");
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsCredentials(
    const CertificateFiles& files) {
  const absl::StatusOr<absl::Time> checked = CheckCertificate(files);
  if (!checked.ok()) return checked.status();
  auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      files.key_file, files.cert_file,
      static_cast<unsigned>(absl::ToInt64Seconds(kCertificateRefresh)));
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace ampari
