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
    max_body_bytes: int = Field(default=2_000_000, gt=0, description="largest request body")
    max_text: int = Field(default=LONGEST, gt=0, le=LONGEST, description="code points of a text")
    max_items: int = Field(default=256, gt=0, description="items of a batch")


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
