"""Throw-away certificates for one test, made by openssl(1)."""

import subprocess


class Certificate:
    def __init__(self, directory, name):
        self.cert, self.key = directory / f"{name}.pem", directory / f"{name}.key"


class Authority:
    """A certificate authority; its certificate is `ca`."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        self.ca = directory / f"{name}.pem"
        self._openssl("ecparam -name prime256v1 -genkey -noout -out {0}.key", name)
        self._openssl("req -x509 -new -key {0}.key -subj /CN={0} -days 2 -out {0}.pem", name)

    def issue(self, name):
        """A server's certificate for 127.0.0.1 and localhost."""
        (self.directory / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self._openssl("ecparam -name prime256v1 -genkey -noout -out {0}.key", name)
        self._openssl("req -new -key {0}.key -subj /CN={0} -out {0}.csr", name)
        self._openssl(f"x509 -req -in {{0}}.csr -CA {self.name}.pem -CAkey {self.name}.key -CAcreateserial -days 2"
                      " -extfile {0}.ext -out {0}.pem", name)
        return Certificate(self.directory, name)

    def _openssl(self, arguments, name):
        subprocess.run(["openssl", *arguments.format(name).split()], cwd=self.directory, check=True, capture_output=True)
