"""Files that editors add on the web."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb import uploads
from kb.config import Settings
from kb.errors import StoreError, UploadError
from kb.model import Actor
from kb.store import articles, limits, pages, reviews, units
from kb.store import uploads as stored
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.lock import writer_lock
from kb.store.tables import audit
from kb.store.uploads import Upload
from kb.uploads import Reader
from kb.web import create_app
from kb.web.library import EXTENSION, Library
from tests.making import article
from tests.test_ingest import line
from tests.web.admin.test_review import BAD_PAGE
from tests.web.people import csrf, post, signed_in

TEXT = "枫溪见闻\n\n枫溪县把支部建在项目上，把党课讲到工地旁，党建与业务的结合点越找越准。\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(data=tmp_path_factory.mktemp("upload") / "data", upload_limit_mib=0.25))


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    return signed_in(app, "editor", name="wang-editor")


@pytest.fixture
def library(app: Flask) -> Library:
    found: Library = app.extensions[EXTENSION]
    return found


def send(client: FlaskClient, *files: tuple[str, bytes]) -> TestResponse:
    data = {"files": [(io.BytesIO(body), name) for name, body in files], "csrf_token": csrf(client)}
    return client.post("/admin/upload", data=data, content_type="multipart/form-data")


def sent(client: FlaskClient, library: Library, *files: tuple[str, bytes]) -> Upload:
    answer = send(client, *files)
    assert answer.status_code == 303, answer.text
    with reading(library.database) as connection:
        found = stored.one(connection, int(answer.location.rpartition("/")[2]))
    assert found is not None
    return found


def docx() -> bytes:
    document, file = Document(), io.BytesIO()
    document.add_heading("枫溪文件", 0)
    document.add_paragraph("枫溪县把支部建在项目上，把党课讲到工地旁，党建与业务的结合点越找越准。")
    document.save(file)
    return file.getvalue()


def test_files_of_every_kind_are_stored_and_each_is_told(library: Library, editor: FlaskClient) -> None:
    archive = "".join(line(number) for number in (1, 2))
    files = (
        ("见闻.TXT", TEXT.encode("gb18030")),
        ("文件.docx", docx()),
        ("旧文.jsonl", (archive + "不是JSON\n").encode()),
        ("旧文.jsonl.gz", gzip.compress(line(3).encode(), mtime=0)),
        ("名单.html", BAD_PAGE.encode()),
        ("程序.exe", b"MZ"),
    )
    upload = sent(editor, library, *files)
    page = html.document_fromstring(editor.get(f"/admin/upload/{upload.id}").text)
    rows = [" ".join(row.text_content().split()) for row in page.xpath("//tbody/tr")]
    with reading(library.database) as connection:
        first = articles.one(connection, upload.files[0].ids[0])
        waiting = reviews.listed(connection, "waiting", limit=9)

    assert [(one.added, one.queued, one.failed) for one in upload.files] == [
        (1, 0, 0), (1, 0, 0), (2, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1),
    ]  # fmt: skip
    assert (
        rows[0].startswith("见闻.TXT 新增 1 篇") and "待审 1 篇" in rows[4] and "不认识的文件类型" in rows[5]
    )
    assert first and first.article.title == "枫溪见闻"
    assert first.article.key == f"upload:{hashlib.sha256(TEXT.encode('gb18030')).hexdigest()}.txt"
    assert pages.get(library.settings.pages, first.page_hash or "") == TEXT.encode("gb18030")
    assert [(one.name, one.created_by) for one in waiting] == [("名单.html", "wang-editor")]
    assert "枫溪县机关党委" in waiting[0].source_text


def test_the_same_again_changes_nothing_whatever_its_name(library: Library, editor: FlaskClient) -> None:
    body = (TEXT + "再传一次。\n").encode()
    first = sent(editor, library, ("甲.txt", body))
    again = sent(editor, library, ("乙.txt", body))

    assert (first.files[0].added, again.files[0].added, again.files[0].unchanged) == (1, 0, 1)
    assert first.files[0].ids == again.files[0].ids


def test_an_upload_is_in_the_audit_log_with_hash_and_name(library: Library, editor: FlaskClient) -> None:
    body = b"x" * 10
    sent(editor, library, ("../temp/坏\u202egpj.txt", body))
    with reading(library.database) as connection:
        record = connection.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).one()

    assert (record.actor, record.action) == ("wang-editor", "file.uploaded")
    assert record.object == f"file:{hashlib.sha256(body).hexdigest()}"
    assert json.loads(record.detail)["name"] == "坏gpj.txt"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("\u202e", "未命名"),
        ("长" * 300, "长" * 120),
        ("<b>x</b>.txt", "b>.txt"),
    ],
)
def test_names_are_shown_without_what_could_mislead(name: str, shown: str) -> None:
    assert uploads.shown_name(name) == shown


def test_nobody_waits_for_the_lock_of_a_run(library: Library, editor: FlaskClient) -> None:
    with writer_lock(library.settings.data):
        upload = sent(editor, library, ("锁.txt", (TEXT + "有人持锁。\n").encode()))

    assert upload.files[0].added == 1


def test_too_much_and_nothing_are_refused_in_words(library: Library, editor: FlaskClient) -> None:
    large = send(editor, ("大.txt", b"x" * 300 * 1024))
    nothing = send(editor)

    assert (large.status_code, nothing.status_code) == (413, 400)
    assert "超过 0.25 MiB,或多于 90 个" in large.text
    assert "没有选择文件" in nothing.text
    assert (
        post(editor, "/admin/lexicon/add", {"word": "x" * 70_000}).status_code == 413
    )  # others keep their limit


def test_only_a_form_of_our_own_and_only_editors(app: Flask, editor: FlaskClient) -> None:
    data = {"files": [(io.BytesIO(b"x"), "a.txt")]}
    without_token = editor.post("/admin/upload", data=data, content_type="multipart/form-data")

    assert without_token.status_code == 400
    assert send(signed_in(app, "operator"), ("a.txt", b"x")).status_code == 403


@pytest.mark.slow
def test_an_archive_that_unpacks_to_far_too_much_is_refused(library: Library, editor: FlaskClient) -> None:
    bomb = gzip.compress(b" " * 8 * 2**20, mtime=0)
    upload = sent(editor, library, ("弹.jsonl.gz", bomb), ("断.jsonl.gz", bomb[:-50]))

    assert [(one.added, one.failed) for one in upload.files] == [(0, 1), (0, 1)]
    assert "弹.jsonl.gz" in upload.files[0].reasons[0]


@pytest.mark.slow
def test_a_file_that_takes_too_long_is_given_up_and_the_others_go_on(
    library: Library, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "import kb.parse.files as files\n"
        "read = files.read_text\n"
        "def slow(data, **more):\n"
        "    if '慢'.encode() in data: time.sleep(60)\n"
        "    if '崩'.encode() in data: sys.exit(3)\n"
        "    return read(data, **more)\n"
        "files.read_text = slow\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(uploads.__file__).parent.parent}")
    monkeypatch.setattr(uploads, "FILE_SECONDS", 5.0)
    files = [(f"{name}.txt", (TEXT + name).encode()) for name in ("好一", "慢", "崩", "好二")]
    upload = sent(editor, library, *files)

    assert [one.added for one in upload.files] == [1, 0, 0, 1]
    assert "超过 5 秒没有进展" in upload.files[1].reasons[0] and "解析时出错" in upload.files[2].reasons[0]
    assert not list(library.settings.data.glob(".upload-*"))


def test_an_article_that_is_hidden_from_who_uploads_stays_and_is_not_told(
    library: Library, editor: FlaskClient
) -> None:
    hidden = article("枫溪密件", ("原来的文字。",), key="id:a77")
    with writing(library.database) as connection:
        (saved,) = articles.save(connection, [NewArticle(hidden)], articles.fingerprints(connection))
        unit = units.add(connection, "枫溪法院")
        limits.put(connection, Actor("zhangsan"), "article", saved.id, [unit])
    body = line(77).encode()
    upload = sent(editor, library, ("改.jsonl", body), ("别的.jsonl", line(78).encode()))
    (changed, other) = upload.files
    with reading(library.database) as connection:
        present = articles.one(connection, saved.id)

    assert present and (present.article.title, present.version) == ("枫溪密件", 1)
    assert (changed.added, changed.changed, changed.unchanged, changed.ids) == (0, 0, 0, [])
    assert changed.reasons == [UploadError("upload.failed", name="改.jsonl").words("zh")]
    assert other.added == 1


def test_files_for_which_no_time_was_left_are_told_apart(
    library: Library, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ALL_SECONDS", -1.0)
    upload = sent(editor, library, ("迟.txt", TEXT.encode()))

    assert upload.files[0].is_done and "还没有开始处理" in upload.files[0].reasons[0]


def test_an_upload_that_breaks_off_is_finished_with_words(
    library: Library, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_some: object, **_more: object) -> None:
        raise StoreError("store.busy")

    monkeypatch.setattr("kb.ingest.save_batch", broken)
    answer = send(editor, ("断.txt", (TEXT + "断了。").encode()))
    with reading(library.database) as connection:
        (last,) = stored.latest(connection, 1)

    assert answer.status_code >= 500
    assert [(one.is_done, one.failed) for one in last.files] == [(True, 1)]


def reader(code: str) -> Reader:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    return Reader(process, time.monotonic() + 30)


@pytest.mark.parametrize("piece", ['{"file": 1, "ke', '{"file": 1, }\\n'])
def test_a_line_that_was_cut_off_is_the_end_of_the_reader(piece: str) -> None:
    found = reader(f"print('{{\"file\": 0}}'); print('{piece}', end='')")

    assert list(found.lines()) == [{"file": 0}]


def test_a_reader_is_not_silent_while_what_it_said_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_SECONDS", 0.3)
    found = reader("import time\nfor n in 0, 1: print('{\"file\": %d}' % n, flush=True)\ntime.sleep(0.1)")
    numbers = []
    for told in found.lines():
        numbers.append(told["file"])
        if not numbers[1:]:
            time.sleep(0.8)

    assert (numbers, found.stopped) == ([0, 1], None)


def test_a_reader_that_is_silent_and_one_that_is_late_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "START_SECONDS", 0.2)
    silent, late = reader("import time; time.sleep(9)"), reader("import time; time.sleep(9)")
    late._until = time.monotonic() - 1

    assert (list(silent.lines()), list(late.lines())) == ([], [])
    assert (silent.stopped, late.stopped) == ("silent", "late")
