"""Certificates of this machine for as long as the story lasts: TLS is what the queues' policy asks for."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """A certificate of loopback, and the authority to trust."""

    def __init__(self, folder):
        self.authority = os.path.join(folder, "authority.pem")
        self.certificate = os.path.join(folder, "loopback.pem")
        self.key = os.path.join(folder, "loopback.key")
        above, root = self._root()
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        leaf = self._named("loopback", root.subject, key)
        leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
        leaf = leaf.sign(above, hashes.SHA256())
        self._write(self.authority, root.public_bytes(serialization.Encoding.PEM))
        self._write(self.certificate, leaf.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self._write(self.key, key.private_bytes(serialization.Encoding.PEM, *form))

    def _root(self):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the authority of one story")])
        root = self._named("the authority of one story", name, key)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return key, root.sign(key, hashes.SHA256())

    @staticmethod
    def _named(name, issuer, key):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    @staticmethod
    def _write(path, data):
        with open(path, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
