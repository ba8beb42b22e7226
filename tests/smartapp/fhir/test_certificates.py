"""A server proves that it is the one at its address, by a certificate of an authority that we know, or is not asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from smartapp.fhir import http
from smartapp.fhir.http import OutboundError, ask

Key = ec.EllipticCurvePrivateKey
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, key: Key, *, authority: bool = False, days: int = 1) -> bytes:
    """Return a certificate of the authority for a name, that ends so many days from now."""
    now = datetime.now(UTC)
    who, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, "authority"))
    builder = x509.CertificateBuilder(by, who, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(9)).not_valid_after(now + timedelta(days))
    builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(AUTHORITY, SHA256()).public_bytes(Encoding.PEM)


@contextlib.contextmanager
def https_server(folder: Path, name: str, days: int) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a server on this machine whose certificate is for a name, and what it was asked."""
    key, file, heard = ec.generate_private_key(ec.SECP256R1()), folder / "server.pem", list[bytes]()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate(name, key, days=days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                heard.append(secure.recv(65536))
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"https://localhost:{listening.getsockname()[1]}/fhir", heard
        finally:
            thread.join()


@pytest.fixture
def known(tmp_path, monkeypatch) -> None:
    """Let the authority be one that we know."""
    file = tmp_path / "authority.pem"
    file.write_bytes(certificate("authority", AUTHORITY, authority=True))
    monkeypatch.setattr(http._LOOPBACK, "verify", str(file))


@pytest.mark.usefixtures("known")
def test_a_server_that_proves_it_is_asked(tmp_path):
    with https_server(tmp_path, "localhost", 1) as (url, heard):
        assert ask("GET", url, headers={"Authorization": "Bearer secret"}).json() == {}
    assert b"Bearer secret" in heard[0]


def is_not_asked(folder: Path, name: str, days: int) -> bool:
    with https_server(folder, name, days) as (url, heard), pytest.raises(OutboundError) as caught:
        ask("GET", url, headers={"Authorization": "Bearer secret"}, params=[("patient", "secret-id")])
    return (str(caught.value), heard) == ("tls at localhost", [])


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("name", "days"), [("another.example", 1), ("localhost", -1)], ids=["another name", "ended"])
def test_a_server_with_a_certificate_of_another_or_one_that_ended_gets_no_token(tmp_path, name, days):
    assert is_not_asked(tmp_path, name, days)


def test_a_server_whose_authority_nobody_knows_gets_no_token_and_the_log_says_so(tmp_path, caplog):
    assert is_not_asked(tmp_path, "localhost", 1)
    [said] = [record.getMessage() for record in caplog.records]
    assert said == "localhost has no certificate that we trust, or TLS that we don't speak: it was not asked"
