"""TLS on loopback: a certificate authority of one simulator's own.

This room decides the certificate (127.0.0.1 and localhost) and where the authority's file lies. It refuses to outlive
the simulator: the file goes when the simulator stops.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import trustme


class Certificates:
    """A server certificate and the authority that signed it. `ca_file` is for REQUESTS_CA_BUNDLE and friends."""

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
