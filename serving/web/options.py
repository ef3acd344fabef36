"""How the web is asked; without what asks it, so that commands that fetch nothing load nothing."""

from dataclasses import dataclass, field

_WEB = ("http://", "https://")


def is_web(name: str) -> bool:
    """Say whether a name is an address of the web."""
    return name.lower().startswith(_WEB)


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What one answer may ask of us: bytes as sent and decompressed, seconds, redirects."""

    bytes: int = 20 << 20
    connect_s: float = 10
    seconds: float = 60
    redirects: int = 5


@dataclass(frozen=True, kw_only=True)
class Web:
    """Whether private addresses may be asked, who asks, and the least time between two requests.

    `contact` is told to servers, so that they can complain; `delay_s` holds for each host.
    """

    allow_private: bool = False
    contact: str | None = None
    delay_s: float = 1.0
    limits: FetchLimits = field(default_factory=FetchLimits)
