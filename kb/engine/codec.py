"""Our segments in Whoosh's table of contents, and the codec that opens them for Whoosh's own queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from whoosh.codec.base import Codec
from whoosh.codec.base import Segment as WhooshSegment

from kb.engine import segments
from kb.engine.segments import Segment


def _open(storage: Any, segment: KbSegment) -> Segment:
    return segments.read(Path(storage.folder), segment.file_name, segment.deletions)


class KbCodec(Codec):  # type: ignore[misc]  # Whoosh has no types
    """For reading, by Whoosh's own queries; segments are written by segments.py."""

    def terms_reader(self, storage: Any, segment: KbSegment) -> Any:
        from kb.engine.stock_readers import TermsReader

        return TermsReader(_open(storage, segment))

    def per_document_reader(self, storage: Any, segment: KbSegment) -> Any:
        from kb.engine.stock_readers import DocumentsReader

        return DocumentsReader(_open(storage, segment))


class KbSegment(WhooshSegment):  # type: ignore[misc]  # Whoosh has no types
    """A segment in Whoosh's table of contents. Pickled there: only plain values."""

    def __init__(self, indexname: str, docs: int = 0) -> None:
        super().__init__(indexname)
        self.docs = docs
        self.tokens = 0  # of all fields
        self.deletions = 0  # number of its file of deletions, 0 for none
        self.deleted = 0

    @property
    def file_name(self) -> str:
        name: str = self.segment_id()
        return name

    def codec(self) -> Any:
        return KbCodec()

    def set_doc_count(self, doccount: int) -> None:
        self.docs = doccount

    def doc_count_all(self) -> int:
        return self.docs

    def deleted_count(self) -> int:
        return self.deleted

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        raise TypeError("articles are removed by kb.engine, not by Whoosh's writer")

    def should_assemble(self) -> bool:
        return False
