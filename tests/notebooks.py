"""Executes the notebooks in place of a reader: `make notebooks`, and a test."""

from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook from the repository's root; raises if a cell does."""
    notebook = nbformat.read(path, as_version=4)
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "."}}).execute()


if __name__ == "__main__":
    for notebook_path in NOTEBOOKS:
        nbformat.write(execute(notebook_path), notebook_path)
        click.echo(f"{notebook_path} runs")
