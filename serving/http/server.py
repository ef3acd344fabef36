"""The server process: stops without losing what it accepted, ends connections that hold it up."""

import asyncio
import logging
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from serving.http.logs import CONFIG
from serving.http.service import Service
from serving.settings import Settings

_REQUEST_LINE = 8192
"""Bytes for the request line and what stands between the fields of a header."""
_LOG = logging.getLogger("narrascope.server")


class Server(uvicorn.Server):
    """uvicorn's server, with a time of draining before it stops."""

    def __init__(self, app: FastAPI, settings: Settings, *, host: str, port: int) -> None:
        """Take the application and where to listen; port 0 takes any free one."""
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                # Named, so that what else is installed changes nothing: only h11 bounds a header
                # that is still coming, and nothing here speaks WebSocket.
                http="h11",
                loop="asyncio",
                ws="none",
                h11_max_incomplete_event_size=settings.max_header_bytes + _REQUEST_LINE,
                access_log=False,
                log_config=CONFIG,
                limit_concurrency=settings.max_connections,
                server_header=False,
            )
        )
        self._settings = settings
        self._service: Service = app.state.service
        self._stops_at: float | None = None
        self._silent_since: dict[object, tuple[object, float]] = {}
        self._unread_since: dict[object, tuple[int, float]] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and take SIGHUP for a wish to load the model anew."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP") and self.started:
            try:
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGHUP, self._service.slot.ask)
            except (RuntimeError, ValueError):
                _LOG.info("no signals outside of the main thread: SIGHUP is not listened to")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, stop at the second."""
        if self._stops_at is None:
            self._service.admission.draining = True
            self._stops_at = time.monotonic() + self._settings.drain_seconds
            self._captured_signals.append(sig)
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Look whether it is time to stop, and who has not sent or not read for too long."""
        self._close_silent()
        self._abort_unread()
        if self._stops_at is not None and time.monotonic() >= self._stops_at:
            # From here on uvicorn refuses connections and waits for answers that are being made.
            self.should_exit = True
        return await super().on_tick(counter)

    def _close_silent(self) -> None:
        """Close connections that have not sent a whole request header in time (slow loris)."""
        now = time.monotonic()
        known, self._silent_since = self._silent_since, {}
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                continue
            seen, since = known.get(connection, (cycle, now))
            if seen is not cycle:
                since = now
            self._silent_since[connection] = cycle, since
            transport = getattr(connection, "transport", None)
            if transport is not None and now - since > self._settings.header_seconds:
                transport.close()

    def _abort_unread(self) -> None:
        """End connections whose caller does not read: closing them would wait for it to read."""
        now = time.monotonic()
        known, self._unread_since = self._unread_since, {}
        for connection in self.server_state.connections:
            transport = getattr(connection, "transport", None)
            if transport is None or not (unread := transport.get_write_buffer_size()):
                continue
            seen, since = known.get(connection, (unread, now))
            if seen != unread:
                since = now
            self._unread_since[connection] = unread, since
            if now - since > self._settings.body_seconds:
                transport.abort()
