// TestCertificates: a throw-away certificate authority with a server's and a client's certificate,
// made by openssl(1).
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace ampari {

// Files live as long as this. The server's certificate is valid for 127.0.0.1, localhost and
// region.test.
class TestCertificates {
 public:
  TestCertificates();

  // False when openssl(1) is not there: skip the test.
  bool ok() const { return ok_; }
  std::string ca_file() const { return dir_.File("ca.pem"); }
  std::string server_cert_file() const { return dir_.File("server.pem"); }
  std::string server_key_file() const { return dir_.File("server.key"); }
  std::string client_cert_file() const { return dir_.File("client.pem"); }
  std::string client_key_file() const { return dir_.File("client.key"); }

 private:
  bool Run(const std::string& arguments) const;
  bool Sign(const std::string& name, const std::string& subject_alternatives) const;

  TempDir dir_;
  bool ok_ = false;
};

// The whole file; empty when it cannot be read.
std::string ReadFileOrEmpty(const std::string& path);

}  // namespace ampari
