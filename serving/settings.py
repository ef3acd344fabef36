"""Settings of the service, read once from the environment (`NARRASCOPE_*`)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.classifier import LONGEST


class Settings(BaseSettings):
    """What a deployment may choose."""

    model_config = SettingsConfigDict(env_prefix="NARRASCOPE_", frozen=True)

    model: Path = Field(default=Path("models/current"), description="a released model folder")
    threads: int = Field(default=0, ge=0, description="processor threads; 0 takes all")
    max_body_bytes: int = Field(default=8_000_000, gt=0, description="largest request body")
    max_text: int = Field(default=LONGEST, gt=0, le=LONGEST, description="code points of a text")
    max_items: int = Field(default=256, gt=0, description="items of a batch")
