"""What a run may be asked for."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from serving.scoring.columns import Columns
from serving.scoring.limits import Limits
from serving.scoring.partitions import Partition

Format = Literal["jsonl", "parquet"]
CopiesMode = Literal["near", "exact", "score"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run reads, scores and writes.

    `copies` None leaves the choice to the run: near copies are linked, except in the plain
    output of one JSONL or text file, where each text gets its own findings. `partition` spreads
    each shard over folders.
    """

    scores: bool = False
    explain: bool = False
    with_text: bool = False
    copies: CopiesMode | None = None
    format: Format = "jsonl"
    partition: Partition | None = None
    shard_records: int = 2000
    columns: Columns = field(default_factory=Columns)
    limits: Limits = field(default_factory=Limits)

    def as_json(self) -> dict[str, Any]:
        """Return all options, as the manifest keeps them."""
        options = asdict(self)
        if self.partition is None:
            # So that a run that began before there were partitions goes on.
            del options["partition"]
        return options
