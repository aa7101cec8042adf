#include "common/config/credential_end.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/config/yaml_document.h"
#include "common/runtime/absl_view.h"
#include "common/runtime/small_file.h"

namespace ampari {
namespace {

constexpr size_t kMaxTokenBytes = size_t{64} << 10;
constexpr int kMaxCertificates = 1000;    // of one bundle
constexpr double kMaxUnixSeconds = 1e12;  // beyond it a number is no time

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::vector<absl::Time> CertificateEnds(std::string_view pem, int limit) {
  std::vector<absl::Time> ends;
  std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  for (int i = 0; bio != nullptr && i < limit; ++i) {
    std::unique_ptr<X509, FreeCertificate> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    std::tm end{};
    if (certificate == nullptr) break;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) continue;
    ends.push_back(absl::FromTM(end, absl::UTCTimeZone()));
  }
  return ends;
}

}  // namespace

std::optional<absl::Time> CertificateEnd(std::string_view pem) {
  const std::vector<absl::Time> ends = CertificateEnds(pem, 1);
  return ends.empty() ? std::nullopt : std::optional(ends.front());
}

std::optional<absl::Time> AuthoritiesEnd(std::string_view pem) {
  const std::vector<absl::Time> ends = CertificateEnds(pem, kMaxCertificates);
  return ends.empty() ? std::nullopt : std::optional(*std::max_element(ends.begin(), ends.end()));
}

std::optional<absl::Time> TokenEnd(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(token), '.');
  std::string claims;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &claims)) return std::nullopt;
  std::vector<YamlProblem> problems;
  const YamlNode root = ParseYaml(claims, &problems);  // JSON is YAML
  const YamlNode* end = root.Find("exp");
  double seconds = 0;
  if (!problems.empty() || end == nullptr || !absl::SimpleAtod(end->text, &seconds) ||
      !(seconds > 0 && seconds < kMaxUnixSeconds)) {
    return std::nullopt;
  }
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

std::string ReadCredential(const Secret& secret) {
  std::string text = secret.value;
  if (!secret.file.empty()) {
    absl::StatusOr<SmallFile> file = ReadSmallFile(secret.file);
    text = file.ok() ? std::move(file->bytes) : "";
  }
  absl::StripAsciiWhitespace(&text);
  return text;
}

}  // namespace ampari
