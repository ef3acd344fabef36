"""Settings of the service, read once from the environment (`NARRASCOPE_*`)."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.classifier import LONGEST
from serving.errors import ServingError

PREFIX = "NARRASCOPE_"


class Settings(BaseSettings):
    """What a deployment may choose."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    model: Path = Field(default=Path("models/current"), description="a released model folder")
    threads: int = Field(default=0, ge=0, description="processor threads; 0 takes all")
    workers: int = Field(default=1, gt=0, le=64, description="batches that run side by side")
    cache: int = Field(default=20_000, ge=0, description="passages whose scores are remembered")
    watch_seconds: float = Field(
        default=5, ge=0, description="how often the model folder is looked at; 0: only on SIGHUP"
    )

    max_body_bytes: int = Field(
        default=2_000_000, gt=0, description="largest request body, compressed or not"
    )
    max_header_bytes: int = Field(default=32_768, gt=0, description="names and values of a header")
    max_text: int = Field(default=LONGEST, gt=0, le=LONGEST, description="code points of a text")
    max_items: int = Field(default=256, gt=0, description="items of a batch")
    max_queue_tokens: int = Field(
        default=65_536, gt=0, description="tokens that may be accepted and not yet answered"
    )
    max_timeout_ms: int = Field(default=600_000, gt=0, description="largest X-Timeout-Ms")
    body_seconds: float = Field(
        default=30, gt=0, description="how long a body, or a line of a stream, may let us wait"
    )
    header_seconds: float = Field(
        default=10, gt=0, description="how long a connection may be open without a whole request"
    )
    max_connections: int = Field(default=1000, gt=0, description="connections at a time")
    drain_seconds: float = Field(
        default=0, ge=0, description="how long /readyz says 503 before the port is closed"
    )

    keys: Path = Field(default=Path("keys.json"), description="the file of API keys")


def settings() -> Settings:
    """Read the environment.

    Raises:
        ServingError: a variable has a value that cannot be; names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{'.'.join(str(part) for part in first['loc'])}".upper()
        raise ServingError(f"The environment variable {name}: {first['msg']}.") from error
