"""Petition rows of files for the label round trip: read with every row accounted for, masked before they are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from corpora.readers import read_petitions
from corpora.records import PETITION_SCHEMA
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.mask import mask_texts


def read_rows(paths: Sequence[Path], mapping: Mapping[str, str]) -> tuple[pa.Table, Counter[str]]:
    """Return the petitions of files, and code → rows that could not be read.

    Raises:
        corpora.readers.ReadError: if the files or the mapping are unusable.
    """
    tables, rejected = [PETITION_SCHEMA.empty_table()], Counter[str]()
    for chunk in read_petitions(paths, mapping=mapping):
        tables.append(chunk.table)
        rejected.update(item.code for item in chunk.rejections)
    return pa.concat_tables(tables).combine_chunks(), rejected


def masked(petitions: pa.Table) -> pa.Table:
    """Return the rows with the texts that a model sees: cleaned, personal data masked."""
    for name in ("title", "body", "address", "channel"):
        texts = masked_texts(petitions[name].to_pylist())
        petitions = petitions.set_column(PETITION_SCHEMA.get_field_index(name), PETITION_SCHEMA.field(name), pa.array(texts, pa.string()))
    return petitions


def masked_texts(texts: Sequence[str]) -> list[str]:
    """Return texts cleaned and with personal data masked."""
    return mask_texts(clean_texts(list(texts)))[0]
