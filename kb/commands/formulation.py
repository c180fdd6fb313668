"""`kb formulation`: where and when formulations (提法) stand in the library, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kb import opening, terminal

if TYPE_CHECKING:
    from kb.formulations import Formulation, Occurrence, Traced

SHOWN = 8  # words that formulations were cut out of, forms


@click.command()
@click.argument("wanted", nargs=-1, required=True, metavar="Q...")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON · print JSON")
@click.option("--csv", "as_csv", is_flag=True, help="输出逐月的表 · print the table by month, as CSV")
def formulation(wanted: tuple[str, ...], as_json: bool, as_csv: bool) -> None:
    """First and last occurrence of formulations (提法), how many articles by month, how written, with what words."""
    from kb import formulations
    from kb.export.audit_table import table
    from kb.model import NOTHING_HIDDEN
    from kb.search import open_search

    settings, database = opening.store()
    opening.kernels()
    traced = formulations.trace(open_search(settings, database), wanted, hidden=NOTHING_HIDDEN)
    if as_json:
        terminal.print_json(formulations.record(traced))
    elif as_csv:
        for line in table(formulations.COLUMNS, formulations.rows(traced)):
            click.echo(line, nl=False)
    else:
        for one in traced.formulations:
            _said(one, traced)


def _said(one: Formulation, traced: Traced) -> None:
    click.echo(
        f"「{one.text}」 {one.articles} 篇,{one.occurrences} 处(本库 {sum(traced.coverage.values())} 篇)"
    )
    for name, place in (("最早", one.first), ("最近", one.last)):
        if place is not None:
            click.echo(f"{name} {_place(place)}")
    if one.months.get(""):
        click.echo(f"另有日期不详 {one.months['']} 篇")
    if one.forms:
        click.echo("写法 " + "、".join(f"{form.written} {form.articles} 篇" for form in one.forms[:SHOWN]))
    if one.companions:
        click.echo("同句常见 " + "、".join(companion.word for companion in one.companions))
    for word in one.rejected[:SHOWN]:
        click.echo(f"未计 是「{word.word}」的一部分,{word.occurrences} 处,如 {_place(word.example)}")


def _place(one: Occurrence) -> str:
    words = "".join(f"【{run.text}】" if run.matched else run.text for run in one.sentence)
    return f"{one.published or '日期不详'} {one.newspaper or one.source} [{one.article_id}] {words}"
