"""TLS on loopback: makes a certificate authority for one simulator.

Decides the names in the certificate (127.0.0.1 and localhost) and the place of the authority's file, which is deleted
when the simulator stops.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import trustme


class Certificates:
    """A server certificate and its authority. `ca_file` is the authority's file, as for REQUESTS_CA_BUNDLE."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="azure-simulator-")
        self.ca_file = str(Path(self._directory.name) / "ca.pem")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(self.context)

    def remove(self) -> None:
        """Delete the authority's file."""
        self._directory.cleanup()
