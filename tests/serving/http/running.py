"""The real server in a process of its own, for tests and benchmarks."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

WAIT_S = 300
JSON = {"content-type": "application/json"}


class Running:
    """A served model."""

    def __init__(
        self,
        model: Path,
        folder: Path,
        *,
        port: int = 0,
        threads: int = 1,
        before: str = "",
        log: Path | None = None,
        **settings: str,
    ) -> None:
        """Start it and wait until it is ready.

        Args:
            model: the model folder.
            folder: where the keys are, and the log if `log` does not say otherwise.
            port: 0 takes any free one.
            threads: of the network; 0 takes all.
            before: Python that runs first in the server's process.
            log: where standard output and error go.
            settings: further environment variables.
        """
        self.port = port or _free()
        environment = {**os.environ, "NARRASCOPE_KEYS": str(folder / "keys.json"), **settings}
        command = (
            f"import sys; {before or 'pass'}\nfrom serving.cli import main; main(sys.argv[1:])"
        )
        arguments = ["serve", "--model", str(model), "--threads", str(threads)]
        arguments += ["--port", str(self.port)]
        self.log = log or folder / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", command, *arguments],
                stderr=output,
                stdout=output,
                env=environment,
            )
        self.until(lambda: self.status("GET", "/readyz") == 200)

    def until(self, seen) -> None:
        """Wait until `seen` is true; the server must live meanwhile."""
        ends = time.monotonic() + WAIT_S
        while time.monotonic() < ends:
            assert self.process.poll() is None, self.told()
            try:
                if seen():
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        pytest.fail(self.told())

    def told(self) -> str:
        """Return what was logged."""
        return self.log.read_text() if self.log.is_file() else f"nothing is kept in {self.log}"

    def kill(self) -> None:
        """End it as the kernel would."""
        self.process.kill()
        self.process.wait(WAIT_S)

    def status(self, method: str, route: str, body: bytes | None = None, **headers: str) -> int:
        """Ask, and return the answer's status."""
        connection = self.connection()
        try:
            connection.request(method, route, body, {**JSON, **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection for requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)

    def get(self, route: str) -> bytes:
        """Ask, and return the answer's body."""
        connection = self.connection()
        try:
            connection.request("GET", route)
            return connection.getresponse().read()
        finally:
            connection.close()

    def open(self) -> socket.socket:
        """Return a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
