"""Make a set of documents for speed work from real texts: an archive (.jsonl.gz) that `kb add` takes.

    .venv/bin/python scripts/bench/make_corpus.py --from ../shared/data/corpus --docs 100000 --out /tmp/100k.jsonl.gz

Up to what there is (some 110,000): 新闻联播 items, then laws, reports and speeches cut at article size, between their articles
(第…条) or paragraphs. Beyond that, the same texts with their sentences shuffled between documents, half from one and half
from another, so that the statistics of words stay those of real text. Newspapers, authors, affiliations and edition pages
are invented, as skewed as real ones are and some of them unknown; dates are the texts' own. The same seed makes the same
file, byte for byte. Documents are written as they are made: memory is that of the real texts, however many are asked for.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any, NamedTuple

ITEMS = "xwlb.jsonl.gz"
LONG_TEXTS = ("laws.jsonl.gz", "gov_reports_2026.jsonl.gz", "xi_speeches_2020.jsonl.gz", "rmrb_dprk.jsonl.gz")
# Of a long text: a piece ends before the next article once it has as many characters as this, …
ARTICLE_CHARS = 500
LONGEST_CHARS = (
    800  # … and after this many at the end of any paragraph, in one of speeches at the end of a sentence
)
TITLE_CHARS = 60
_ARTICLE = re.compile(r"(?:#+ *)?(第[一二三四五六七八九十百千零〇\d]+条)")
_SENTENCE = re.compile(r"[^。！？\n]+[。！？\n]*")

PLACES = "清河 岚山 望江 青原 云岭 松洲 安澜 白鹭 临溪 东屏".split()
NEWSPAPERS = [place + kind for kind, place in product(("日报", "法治报", "晚报", "党建"), PLACES)]
OFFICES = ("人民检察院", "人民法院", "司法局", "委党校", "公安局", "组织部")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟 芳 建国 秀英 敏 静 志强 丽娟 军 洋 晓燕 勇 艳红 杰 文涛 明 雪梅 国平 桂兰 海波 宇轩 思远".split()
UNKNOWN = {"newspaper": 0.08, "author": 0.35, "affiliation": 0.8, "edition_page": 0.3, "date": 0.04}


class Text(NamedTuple):
    """A real text at article size."""

    title: str
    date: str | None
    body: str


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--from", dest="folder", type=Path, required=True, help="folder of the real texts")
    options.add_argument("--docs", type=int, required=True, help="how many documents")
    options.add_argument("--out", type=Path, required=True, help="the archive to write, .jsonl.gz")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    missing = [name for name in (ITEMS, *LONG_TEXTS) if not (asked.folder / name).exists()]
    if missing:
        options.error(f"{asked.folder} has no {', '.join(missing)}")
    write(asked.out, documents(real_texts(asked.folder), asked.docs, random.Random(asked.seed)))  # noqa: S311
    return 0


def write(path: Path, made: Iterable[dict[str, Any]]) -> None:
    """Without name and time in its head, so that equal documents make equal files."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as file:
        for document in made:
            file.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
    partial.replace(path)


def documents(texts: list[Text], count: int, pick: random.Random) -> Iterator[dict[str, Any]]:
    """`count` documents: real texts in random order, then recomposed ones, all with columns."""
    first = pick.sample(texts, min(count, len(texts)))
    for number, text in enumerate(chain(first, recomposed(texts, count - len(first), pick)), 1):
        yield {"id": number, **text._asdict()} | columns(text.date, pick)


def columns(date: str | None, pick: random.Random) -> dict[str, str | None]:
    """Invented values for what a text does not tell; a few of each kind unknown."""
    authors = [
        pick.choice(SURNAMES) + GIVEN[skewed(len(GIVEN), pick)] for _ in range(pick.choice((1, 1, 1, 2)))
    ]
    place = PLACES[skewed(len(PLACES), pick)]
    found = {
        "newspaper": NEWSPAPERS[skewed(len(NEWSPAPERS), pick)],
        "author": ";".join(dict.fromkeys(authors)),
        "affiliation": f"{place}县{pick.choice(OFFICES)}",
        "edition_page": f"{1 + skewed(16, pick):02d}",
        "date": date,
    }
    return {name: None if pick.random() < UNKNOWN[name] else value for name, value in found.items()}


def skewed(count: int, pick: random.Random) -> int:
    """A number below `count`, small ones the most often."""
    return int(count * pick.random() ** 2)


# --- real texts ----------------------------------------------------------------------------------------------


def real_texts(folder: Path) -> list[Text]:
    """Every text of the folder at article size, in a fixed order."""
    found = list(read(folder / ITEMS))
    for name in LONG_TEXTS:
        found += [piece for text in read(folder / name) for piece in pieces(text)]
    return found


def read(path: Path) -> Iterator[Text]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            body = (found.get("body") or "").strip()
            if body and found.get("title"):
                yield Text(found["title"][:TITLE_CHARS], found.get("date"), body)


def pieces(text: Text) -> Iterator[Text]:
    """A long text at article size; the titles of all but the first name the article that they begin with."""
    held: list[str] = []
    size = 0
    title = text.title
    for line in chain.from_iterable(map(short_lines, text.body.split("\n"))):
        article = _ARTICLE.match(line)
        if size >= LONGEST_CHARS or (article and size >= ARTICLE_CHARS):
            yield text._replace(title=title, body="\n".join(held))
            held, size = [], 0
            title = f"{text.title} {article[1]}" if article else text.title
        held.append(line)
        size += len(line)
    if size:
        yield text._replace(title=title, body="\n".join(held))


def short_lines(line: str) -> Iterator[str]:
    """A line, or sentences of it together when it is longer than an article may be; none for a blank one."""
    if len(line) <= LONGEST_CHARS:
        if line.strip():
            yield line
        return
    held = ""
    for sentence in _SENTENCE.findall(line):
        held += sentence
        if len(held) >= ARTICLE_CHARS:
            yield held
            held = ""
    if held.strip():
        yield held


# --- recomposed texts ----------------------------------------------------------------------------------------


def recomposed(texts: list[Text], count: int, pick: random.Random) -> Iterator[Text]:
    """`count` texts, each of half the sentences of one and half of another, under the title of the first."""
    for _ in range(count):
        one, other = pick.choice(texts), pick.choice(texts)
        sentences = [*half(one.body, pick), *half(other.body, pick)]
        pick.shuffle(sentences)
        yield one._replace(body="".join(sentences))


def half(body: str, pick: random.Random) -> list[str]:
    sentences = _SENTENCE.findall(body)
    return pick.sample(sentences, (len(sentences) + 1) // 2)


if __name__ == "__main__":
    sys.exit(main())
