#include "tests/support/test_certificates.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace ampari {

bool TestCertificates::Run(const std::string& arguments) const {
  return std::system(
             ("cd " + dir_.path() + " && openssl " + arguments + " >/dev/null 2>&1").c_str()) == 0;
}

bool TestCertificates::Sign(const std::string& name,
                            const std::string& subject_alternatives) const {
  dir_.Write(name + ".ext", subject_alternatives);
  return Run("ecparam -name prime256v1 -genkey -noout -out " + name + ".key") &&
         Run("req -new -key " + name + ".key -subj /CN=" + name + " -out " + name + ".csr") &&
         Run("x509 -req -in " + name +
             ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile " + name +
             ".ext -out " + name + ".pem");
}

TestCertificates::TestCertificates() {
  ok_ = Run("ecparam -name prime256v1 -genkey -noout -out ca.key") &&
        Run("req -x509 -new -key ca.key -subj /CN=test-ca -days 2 -out ca.pem") &&
        Sign("server", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:region.test\n") &&
        Sign("client", "subjectAltName=URI:spiffe://test/client\n");
}

std::string ReadFileOrEmpty(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace ampari
