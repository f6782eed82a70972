"""Pretrained encoders by name, folder or hub name; and how far a fine-tuning is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from corpora.workspace import encoders_dir
from models.fine_tuning import Epoch
from models.pretrained import PREFIX, build
from models.training import Encoder
from models.transformer import FineTuning

#: The encoder that needs no hub: its weights come with a package.
PACKAGED = "e5-small"


def encoder(source: str) -> Encoder:
    """Return what `--encoder` names, ready for training; the packaged one is unpacked when it is first asked for.

    Raises:
        models.pretrained.PretrainedError: if the package with the weights is not installed.
    """
    if source == PACKAGED:
        return Encoder(packaged(), FineTuning(prefix=PREFIX), _told)
    return Encoder(source, FineTuning(), _told)


def packaged() -> Path:
    """Return the folder of the packaged encoder, made in one step if it is not there."""
    home = encoders_dir() / PACKAGED
    if not (home / "config.json").exists():
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=encoders_dir()))
        build(draft)
        if home.exists():  # another process was quicker, or a draft of before was left
            return home
        draft.rename(home)
    return home


def _told(epoch: Epoch) -> None:
    accuracy = "" if epoch.accuracy is None else f"   留出正确率 held-out accuracy {epoch.accuracy:.3f}"
    click.echo(f"  轮次 epoch {epoch.number}   损失 loss {epoch.loss:.3f}{accuracy}   {epoch.rows_per_second:.0f} 件/秒", err=True)
