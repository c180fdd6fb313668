"""The result of engines.py as tables: for a terminal, and as Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Result = dict[str, Any]
Table = list[list[str]]  # the first row is the head


def text(result: Result) -> str:
    """Columns in line."""
    parts = []
    for title, table in sections(result):
        widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
        rows = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        parts.append("\n".join([title, *(row.rstrip() for row in rows)]))
    return "\n\n".join([*parts, *notes(result)])


def markdown(result: Result) -> str:
    parts = []
    for title, table in sections(result):
        head, *rows = (f"| {' | '.join(row)} |" for row in table)
        parts.append("\n".join([f"**{title}**", "", head, "|" + "---|" * len(table[0]), *rows]))
    return "\n\n".join([*parts, *notes(result)])


def sections(result: Result) -> Iterator[tuple[str, Table]]:
    """Titles and tables. Times are p50/p95/p99 in ms; ratios are kb's time by the peer's, at p50 and p95."""
    docs = f"{result['docs']:,} documents"
    for clock, words in (("cpu", "CPU time"), ("wall", "wall time")):
        yield f"Words only, {docs}, {words}, ms", compared(result["classes"], clock)
    for clock, words in (("cpu", "CPU time"), ("wall", "wall time")):
        yield f"Words + bigrams, {docs}, {words}, ms", compared(result["words_bigrams"], clock)
    find = result["find"]
    between = f"dated: between {find['since']} and {find['until']}, with two facets"
    for clock, words in (("cpu", "CPU time"), ("wall", "wall time")):
        yield f"Engine.find with the exact total, {between}, {words}, ms", found(find["classes"], clock)
    yield "Index, raw text to searchable", indexes(result["index"])


def compared(classes: Result, clock: str) -> Table:
    engines = list(next(iter(classes.values())))
    peers = [name for name in engines if name != "kb"]
    table = [["class", *engines, *(f"kb / {peer}" for peer in peers)]]
    for name, figures in classes.items():
        ratios = [ratio(figures["kb"], figures[peer], clock) for peer in peers]
        table.append([name, *(times(figures[one], clock) for one in engines), *ratios])
    return table


def found(classes: Result, clock: str) -> Table:
    kinds = list(next(iter(classes.values())))
    pairs = (("words_dated", "words_best"), ("both_dated", "both_plain"))
    table = [["class", *kinds, *(" / ".join(pair) for pair in pairs)]]
    for name, figures in classes.items():
        ratios = [ratio(figures[one], figures[other], clock) for one, other in pairs]
        table.append([name, *(times(figures[kind], clock) for kind in kinds), *ratios])
    return table


def times(figures: Result, clock: str) -> str:
    return "/".join(f"{figures[clock][one]:.3g}" for one in ("p50", "p95", "p99"))


def ratio(ours: Result, theirs: Result, clock: str) -> str:
    return "/".join(f"{ours[clock][one] / max(theirs[clock][one], 1e-9):.2f}" for one in ("p50", "p95"))


def indexes(index: Result) -> Table:
    names = ["docs_per_s_cpu", "docs_per_s_wall", "size_mb", "peak_mb", "segments", "docs"]
    rows = [[engine, *(str(figures.get(name, "")) for name in names)] for engine, figures in index.items()]
    return [["engine", *names], *rows]


def notes(result: Result) -> Sequence[str]:
    """What is not a table, a sentence or two each."""
    exact, threads, machine, run = (result[name] for name in ("exact", "two_threads", "machine", "run"))
    find, commands = threads["find"], result["commands"]
    odd = (f"{name} {one['odd']} of {one['answers']}" for name, one in result["peers_odd_answers"].items())
    small = [
        f"{name} has {one['docs']:,} documents only"
        for name, one in result["index"].items()
        if one["docs"] < result["docs"]
    ]
    checked = f"{exact['queries']:,} answers, {exact['differences']} differ"
    opened = f"{result['open_ms']} ms (files not in memory: {result['cold_open_ms']} ms)"
    first = f"{result['warm_first_query_ms']} ms ({result['cold_first_query_ms']} ms)"
    asked = f"{run['queries']} queries a class × {run['passes']} passes, seed {run['seed']}, {run['date']}"
    rates = (
        f"Queries per second with one thread and with two: best {threads['qps1']} and {threads['qps2']} "
        f"({threads['ratio']} ×), find {find['qps1']} and {find['qps2']} ({find['ratio']} ×)."
    )
    hardware = (
        f"{machine['cpus']} × {machine['cpu']}, {machine['memory_gib']} GiB, Python {machine['python']}"
    )
    return [
        f"Checked against an exhaustive scan: {checked}. Odd answers of peers: {'; '.join(odd) or 'no peers'}.",
        f"Opening {opened}, first query {first}; kb search {commands['search_s']} s, kb --help {commands['help_s']} s.",
        rates,
        f"{run['corpus']}, {asked}; {hardware}, load {machine['load'][0]}.",
        *small,
    ]
