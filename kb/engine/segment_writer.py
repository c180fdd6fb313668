"""Articles -> a segment's file, field by field, each straight to the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kb.engine import arrays, columns, spans
from kb.engine.columns import Columns
from kb.engine.compiled import Array
from kb.engine.encoding import FieldWriter, Packed
from kb.engine.inversion import invert
from kb.engine.segments import FORMAT
from kb.engine.spans import Spans
from kb.engine.spool import Spool, Spools
from kb.engine.tokens import FIELDS, Tokeniser
from kb.model import StoredArticle


def write(folder: Path, name: str, fields: Mapping[str, Packed], known: Columns, parts: Spans) -> int:
    """Write a segment; its file is on the disk when this returns. Returns how many tokens it has."""
    held: dict[str, Spool | Array] = {}
    for field in FIELDS:
        held |= {f"{field}.{part}": spool for part, spool in fields[field].arrays.items()}
        held[f"{field}.length"] = fields[field].lengths
    held |= columns.as_arrays(known)
    held |= spans.as_arrays(parts)
    facts = {
        "format": FORMAT,
        "docs": len(known.numbers["id"]),
        "means": {field: fields[field].mean for field in FIELDS},
        "sizes": {field: (fields[field].terms, fields[field].longest) for field in FIELDS},
    }
    arrays.write(folder / f"{name}.kbs", Spools(held), facts)
    return sum(int(fields[field].lengths.sum()) for field in FIELDS)


def build(folder: Path, name: str, articles: Sequence[StoredArticle], tokeniser: Tokeniser) -> int:
    """A segment of these articles, numbered in their order. Returns how many tokens it has."""
    cut = tokeniser.cut(stored.article for stored in articles)
    fields = {}
    for field in FIELDS:
        tokens = cut.field(field)
        writer = FieldWriter(folder, cut.lengths(tokens))
        invert(tokens, writer)
        fields[field] = writer.finish()
    return write(folder, name, fields, columns.columns_of(articles), cut.spans)
