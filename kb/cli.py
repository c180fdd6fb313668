"""Commands; each is a few lines that call a use case. Imports stand inside: `kb --help` stays quick.

Longer than 400 lines because it is the table of all commands.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb import __version__, opening, terminal
from kb.commands.audit import audit
from kb.commands.backup import backup, restore
from kb.commands.topic import topic
from kb.commands.user import user
from kb.errors import ConfigError, KbError, StoreError

if TYPE_CHECKING:
    from kb.config import Settings
    from kb.crawl.shapes import CrawlReport
    from kb.ingest import AddReport
    from kb.model import Filters, Hit, Results
    from kb.reparsing import ReparseReport

INTERRUPTED = 130
OPEN_LOCALLY = ("127.0.0.1", "::1", "localhost")
DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Commands(click.Group):
    """Turns every named failure into its sentence and exit code, and Ctrl+C into 130."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KbError as error:
            click.echo(f"{error.words('zh')}\n{error.words('en')}  [{error.key}]", err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("已中断;已存的内容不受影响,再次运行即可继续。", err=True)
            click.echo("Interrupted. What is stored is safe; run again to go on.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kb")
@click.option(
    "--data", type=click.Path(path_type=Path), help="数据文件夹 · data folder, else $KB_DATA or ./data"
)
def main(data: Path | None) -> None:
    """党建学习资料的知识库检索 · Search over Party-study materials."""
    opening.start_quickly()
    if data is not None:
        os.environ["KB_DATA"] = str(data)


main.add_command(user)
main.add_command(audit)
main.add_command(backup)
main.add_command(restore)
main.add_command(topic)

json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON · print JSON")
no_index_option = click.option("--no-index", is_flag=True, help="暂不建索引 · store now, index later")


# --- writing ----------------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@no_index_option
@json_option
def add(paths: tuple[Path, ...], no_index: bool, as_json: bool) -> None:
    """Add files, folders and archives; they are searchable when it returns. Safe to repeat."""
    from kb import ingest

    started = time.monotonic()
    with (
        opening.writing_run(indexes=not no_index) as (settings, database),
        terminal.progress() as progress,
    ):
        report = ingest.add(database, settings, paths, progress)
        if not no_index:
            ingest.reindex(database, settings, everything=False, progress=progress)
    _taken_said("add", report, started, as_json)


def _taken_said(verb: str, report: AddReport | ReparseReport, started: float, as_json: bool) -> None:
    if as_json:
        terminal.print_json(asdict(report))
    else:
        terminal.complain((failure.path, failure.message) for failure in (*report.queued, *report.failed))
        counts = {"added": report.added, "changed": report.changed, "unchanged": report.unchanged}
        if report.queued:
            counts["queued"] = len(report.queued)
        counts["failed"] = len(report.failed)
        terminal.summary(verb, counts, started, partial=bool(report.failed))
    sys.exit(1 if report.failed else 0)


@main.command()
@click.option("--new", "everything", flag_value=False, default=False, help="上次以来的变化(默认) · changes")
@click.option("--all", "everything", flag_value=True, help="全部重建 · build the whole index anew")
@click.option("--follow", is_flag=True, hidden=True)
def reindex(everything: bool, follow: bool) -> None:
    """Index articles stored since the last run, or all. Safe to repeat."""
    from kb import ingest

    if follow:
        _follow()
        return
    started = time.monotonic()
    with opening.writing_run() as (settings, database), terminal.progress() as progress:
        count = ingest.reindex(database, settings, everything=everything, progress=progress)
    rate = round(count / max(time.monotonic() - started, 1e-3))
    terminal.summary("reindex", {"articles": count, "articles/s": rate}, started, partial=False)


def _follow() -> None:
    """The indexer of `kb serve`. Whatever goes wrong ends it, and `kb serve` starts another."""
    from kb.follow import follow

    settings, database = opening.store()
    opening.end_with_parent()
    try:
        follow(database, settings)
    except KeyboardInterrupt:
        pass
    except Exception:
        logging.getLogger("kb.indexer").exception("indexer.failed")
        sys.exit(1)


@main.command()
@click.argument("sources", nargs=-1)
@click.option("--since", type=DAY, help="从这一天的报纸起 · first issue day")
@click.option("--until", type=DAY, help="到这一天的报纸止 · last issue day")
@click.option("--status", is_flag=True, help="只看各来源进度,不抓取 · show how far each source is")
@no_index_option
@json_option
def crawl(
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    status: bool,
    no_index: bool,
    as_json: bool,
) -> None:
    """Fetch what is due from the named sources, or all enabled ones. Safe to repeat and to interrupt."""
    from kb import crawling, ingest
    from kb.crawl.source import chosen

    if status:
        _crawl_status(as_json)
        return
    started = time.monotonic()
    with (
        opening.writing_run(indexes=not no_index) as (settings, database),
        terminal.progress() as progress,
    ):
        wanted, paused = crawling.unpaused(database, chosen(ingest.load_sources(settings), sources))
        terminal.complain(
            (one.source, f"已暂停({one.by},{one.since[:10]}),没有抓取;在 /admin/sources 恢复")
            for one in paused
        )
        first, last = since and since.date(), until and until.date()
        reports = crawling.crawl(database, settings, wanted, since=first, until=last, progress=progress)
        if not no_index:
            ingest.reindex(database, settings, everything=False, progress=progress)
    _crawl_said(reports, started, as_json)


def _crawl_said(reports: list[CrawlReport], started: float, as_json: bool) -> None:
    partial = any(report.failed or report.stopped for report in reports)
    if as_json:
        terminal.print_json([_crawl_record(report) for report in reports])
    else:
        for report in reports:
            terminal.complain((problem.url, problem.message) for problem in report.problems)
            if report.stopped is not None:
                terminal.complain([(report.source, report.stopped.words("zh"))])
        counts = {"sources": len(reports)}
        for name in ("new", "changed", "unchanged", "failed", "skipped", "blocked", "left"):
            counts[name] = sum(getattr(report, name) for report in reports)
        terminal.summary("crawl", counts, started, partial=partial)
    sys.exit(1 if partial else 0)


def _crawl_record(report: CrawlReport) -> dict[str, Any]:
    stopped = report.stopped and {"key": report.stopped.key, "message": report.stopped.words("zh")}
    return asdict(replace(report, stopped=None)) | {"stopped": stopped}


def _crawl_status(as_json: bool) -> None:
    from kb.store import frontier
    from kb.store.db import reading

    _settings, database = opening.store()
    with reading(database) as connection:
        lines = frontier.status(connection)
    if as_json:
        terminal.print_json([asdict(line) for line in lines])
        return
    for line in lines:
        counts = f"待抓 {line.waiting} · 目录页 {line.lists} · 文章 {line.articles} · 跳过 {line.skipped}"
        trouble = f"失败 {line.failed} · 禁抓 {line.blocked}"
        click.echo(f"{line.source}: {counts} · {trouble} · 最近 {line.last_fetched or '无'}")


@main.command()
@click.argument("source", required=False)
@json_option
def reparse(source: str | None, as_json: bool) -> None:
    """Read the kept pages again with today's rules, of one source or all. Fetches nothing."""
    from kb import ingest
    from kb.reparsing import reparse as read_again

    started = time.monotonic()
    with opening.writing_run() as (settings, database), terminal.progress() as progress:
        report = read_again(database, settings, source, progress)
        ingest.reindex(database, settings, everything=False, progress=progress)
    _taken_said("reparse", report, started, as_json)


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to this version of kb, behind a copy of the database; repeating does nothing."""
    from kb.backup import upgrade_store

    found, kept = upgrade_store(opening.settings(), opening.actor())
    if kept is not None:
        click.echo(f"升级前的数据库另存在 {kept}。", err=True)
    click.echo(f"db ok: revision {found}")


# --- sources ----------------------------------------------------------------------------------------


@main.group()
def source() -> None:
    """The sources: which sites are known and how their pages are read."""


@source.command("list")
@json_option
def source_list(as_json: bool) -> None:
    """List the shipped sources and your own."""
    from kb import ingest

    for one in (sources := ingest.load_sources(opening.settings())).values():
        if not as_json:
            state = "启用" if one.enabled else "停用"
            click.echo(f"{one.slug}  {one.name}  {state}  核实 {one.verified}  {one.path}")
    if as_json:
        names = ("slug", "name", "enabled", "verified", "path")
        terminal.print_json([{name: str(getattr(one, name)) for name in names} for one in sources.values()])


@source.command("check")
@click.argument("file", type=FILE)
def source_check(file: Path) -> None:
    """Check a source file and print what it says."""
    from kb.crawl.source import describe, load

    for line in describe(load(file)):
        click.echo(line)


@source.command("try")
@click.argument("file", type=FILE)
@click.argument("page", type=FILE)
@click.option("--url", help="这一页的网址 · address of the page, where a rule reads it")
def source_try(file: Path, page: Path, url: str | None) -> None:
    """Print as JSON what the rules of FILE read from the saved PAGE. Stores nothing."""
    from kb.crawl.source import load
    from kb.model import RawPage
    from kb.trial import try_page

    raw = RawPage(url or f"file:{page.resolve()}", page.read_bytes())
    found = try_page(opening.settings(), raw, load(file))
    click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))


# --- reading ----------------------------------------------------------------------------------------


SORTS = ("relevance", "newest", "oldest", "longest", "shortest")


@main.command()
@click.argument("words", nargs=-1)
@click.option("--sort", type=click.Choice(SORTS), default="relevance")
@click.option(
    "--newspaper", multiple=True, help="报纸,可多次;空为未注明 · newspaper, repeatable; empty: unknown"
)
@click.option("--year", multiple=True, help="年份,可多次;空为未知日期 · year, repeatable; empty: unknown")
@click.option("--since", type=DAY, help="从这一天起 · first day")
@click.option("--until", type=DAY, help="到这一天止 · last day")
@click.option(
    "--copies/--grouped", default=True, help="逐篇列出(默认),或合并转载 · every copy, or one of a text"
)
@click.option("--exact", is_flag=True, help="仅搜原词,不含同义词 · without equal names")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, help="结果数 · results (10)")
@click.option("--offset", type=click.IntRange(0, 999), default=0, help="跳过的结果数 · results to skip")
@click.option("--log", "shows_log", is_flag=True, help="看检索记录 · what people searched for")
@click.option("--days", type=click.IntRange(1, 3650), default=30, help="记录的天数 · days of the log (30)")
@json_option
def search(
    words: tuple[str, ...], shows_log: bool, days: int, offset: int, as_json: bool, **asked: Any
) -> None:
    """Search: words, “phrases”, 与 或 非, fields from 标题: to 字数:, as docs/query-syntax.md says; -- before a leading minus."""
    from kb.export.records import results_record
    from kb.search import open_search

    if shows_log:
        _search_log(days, as_json)
        return
    if not words:
        raise click.UsageError("请写上要找的词语,或用 --log · WORDS or --log")
    settings, database = opening.store()
    opening.kernels()
    results = open_search(settings, database).find(
        " ".join(words),
        filters=_filters(asked),
        sort=asked["sort"],
        grouped=not asked["copies"],
        exact=asked["exact"],
        offset=offset,
        limit=asked["limit"],
    )
    if as_json:
        terminal.print_json(results_record(results))
    else:
        _results_said(results)


def _filters(asked: dict[str, Any]) -> Filters:
    from kb.model import Filters

    only = {name: asked[name] for name in ("newspaper", "year") if asked[name]}
    since, until = (asked[name] and asked[name].date().isoformat() for name in ("since", "until"))
    return Filters(only, since=since, until=until)


def _results_said(results: Results) -> None:
    if results.fallback:
        click.echo("没有同时含全部词语的文章;以下至少含其中一个。")
    for word, others in results.expanded:
        click.echo(f"「{word}」已含:{'、'.join(others)}(--exact 仅搜原词)")
    grouped = f"(合并转载后 {results.total} 条)" if results.total != results.articles else ""
    click.echo(f"找到 {results.articles} 篇{grouped},用时 {results.took_ms:.0f} 毫秒")
    _hits_said(results.hits, results.offset + 1)
    if results.partial:
        click.echo("以下文章只含部分词语:")
        _hits_said(results.partial, results.offset + len(results.hits) + 1)


def _hits_said(hits: Sequence[Hit], first: int) -> None:
    for number, hit in enumerate(hits, first):
        page = hit.edition_page and f"{hit.edition_page}版"
        place = " ".join(filter(None, (hit.newspaper, page, hit.published)))
        copies = f" 另有 {len(hit.copies)} 处转载" if hit.copies else ""
        click.echo(f"{number}. {hit.title}  [{hit.id}] {place or '报纸、日期不详'}{copies}")
        click.echo("   " + "".join(f"【{run.text}】" if run.matched else run.text for run in hit.snippet))


def _search_log(days: int, as_json: bool) -> None:
    from kb.store import searches
    from kb.store.db import reading

    _settings, database = opening.store()
    with reading(database) as connection:
        said = searches.report(connection, days)
    if as_json:
        terminal.print_json(asdict(said))
        return
    click.echo(f"近 {days} 天检索 {said.searches} 次,其中没有结果 {said.without_result} 次")
    for heading, lines in (("最多", said.frequent), ("没有结果", said.in_vain), ("慢", said.slow)):
        for line in lines:
            found = f"{line.times} 次 · {line.total} 篇 · 最慢 {line.longest_ms} 毫秒"
            click.echo(f"{heading}  {line.query}  {found} · 最近 {line.last_asked_at[:10]}")


@main.command()
@click.argument("article_id", type=int)
@json_option
def show(article_id: int, as_json: bool) -> None:
    """Print one article."""
    from kb.export.records import article_record
    from kb.store import articles
    from kb.store.db import reading

    _settings, database = opening.store()
    with reading(database) as connection:
        stored = articles.one(connection, article_id)
    if stored is None:
        raise StoreError("store.no_article", article_id=article_id)
    if as_json:
        terminal.print_json(article_record(stored))
        return
    article = stored.article
    names = " ".join(f"{author.name}({author.role})" for author in article.authors)
    page = article.edition_page and f"{article.edition_page}版"
    place = " ".join(filter(None, (article.newspaper, article.published, page)))
    for line in (
        article.kicker,
        article.title,
        article.subtitle,
        names,
        article.affiliation,
        place,
        article.url,
    ):
        if line:
            click.echo(line)
    click.echo()
    for block in article.blocks:
        click.echo(block.text)


@main.command()
@click.option(
    "--output", "-o", type=click.File("w", encoding="utf-8", atomic=True), default="-", help="文件 · file"
)
def export(output: Any) -> None:
    """Write every article as one JSON line; `kb add` reads the file back."""
    from kb import ingest
    from kb.export.records import article_record

    _settings, database = opening.store()
    for stored in ingest.every_article(database):
        output.write(json.dumps(article_record(stored), ensure_ascii=False) + "\n")


@main.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check database, index, disk and settings, and say how to mend what is wrong."""
    from kb.diagnose import diagnose

    settings, database = opening.store()
    opening.kernels()
    findings = diagnose(database, settings)
    if as_json:
        terminal.print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'✓' if finding.ok else '✗'} {finding.name}: {finding.says}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@main.command("eval")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--builtin", is_flag=True, help="自带的判定集 · the judged queries that kb brings")
@json_option
def measure(folder: Path | None, builtin: bool, as_json: bool) -> None:
    """Measure the ranking with the judged queries of FOLDER: docs.jsonl[.gz], queries.tsv, qrels.tsv."""
    from kb.evaluate import evaluate

    if (folder is None) != builtin:
        raise click.UsageError("FOLDER 或 --builtin · give FOLDER or --builtin")
    settings = opening.settings()
    opening.kernels()
    with terminal.progress() as progress:
        found = evaluate(folder, settings, progress)
    record = found.record()
    if as_json:
        terminal.print_json(record)
    else:
        terminal.measures({**record["classes"], "全部 · all": record})


@main.command()
@click.option("--host", help="监听地址 · address to listen on (127.0.0.1)")
@click.option("--port", type=click.IntRange(0, 65535), help="端口,被占用时用下一个 · port (8000)")
@click.option("--processes", type=click.IntRange(1, 32), help="网页进程数 · web processes (1)")
@click.option("--yes-open", is_flag=True, help="允许别的机器访问 · allow an address that others can reach")
def serve(host: str | None, port: int | None, processes: int | None, yes_open: bool) -> None:
    """Serve the web pages until Ctrl+C."""
    from kb.web import create_app
    from kb.web import server as web_server

    asked = {"host": host, "port": port, "web_processes": processes}
    chosen = {name: value for name, value in asked.items() if value is not None}
    settings = opening.settings().model_copy(update=chosen)
    first = _first_admin(settings, yes_open)
    opening.kernels()
    opening.spare_memory()
    web_server.serve(create_app(settings), settings, say=_first_said(first) if first else click.echo)


def _first_admin(settings: Settings, yes_open: bool) -> str | None:
    """The token that makes the first administrator, where there is none.

    Raises ConfigError when others could reach a server that nobody looks after (DESIGN §5).
    """
    from kb import accounts
    from kb.store import users
    from kb.store.db import open_database, reading, writing

    database = open_database(settings.database)
    with reading(database) as connection:
        count, has_admin = users.count(connection), bool(users.administrators(connection))
    if settings.host not in OPEN_LOCALLY and not has_admin:
        if count:
            raise ConfigError("serve.no_admin", host=settings.host)
        if not yes_open:
            raise ConfigError("serve.open", host=settings.host)
    if has_admin:
        return None
    try:
        with writing(database) as connection:
            return accounts.first_token(connection)
    except StoreError as error:  # a full disk keeps nobody from reading
        click.echo(error.words("zh"), err=True)
        return None
    finally:
        database.dispose()


def _first_said(token: str) -> Callable[[str], None]:
    """Prints what it is told; after the first line, which holds the address, the way to the first administrator."""
    waiting = [token]

    def say(line: str) -> None:
        click.echo(line)
        found = re.search(r"http://\S+/", line)
        if found and waiting:
            click.echo(
                f"还没有管理员 · no administrator yet: {found[0]}first?token={waiting.pop()}\n"
                "  (只能用一次,24 小时内有效 · good once, for 24 hours)"
            )

    return say
