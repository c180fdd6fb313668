"""Every setting: default, unit, help. Where shipped files and live data are."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kb.errors import ConfigError

PACKAGE = Path(__file__).resolve().parent


class Settings(BaseModel):
    """Settings, each read from the environment as KB_<NAME>. Times are seconds, sizes MiB, unless the name says otherwise."""

    model_config = ConfigDict(frozen=True)

    data: Path = Field(Path("data"), description="数据文件夹 · data folder: database, raw pages, index")
    host: str = Field("127.0.0.1", description="网页服务监听地址 · address the web server listens on")
    port: int = Field(8000, ge=0, le=65535, description="网页服务端口 · port of the web server")
    web_threads: int = Field(4, ge=1, le=64, description="每个网页进程的线程数 · threads of each web process")
    web_processes: int = Field(1, ge=1, le=32, description="网页进程数 · web processes")
    crawl_mirrors: str = Field(
        "",
        description="由运维指定的镜像,逗号分隔 · mirrors named by the operator, comma-separated: "
        "https://tv.cctv.com=http://127.0.0.1:8099",
    )
    crawl_user_agent: str = Field(
        "kb", description="抓取时的 User-Agent · User-Agent of the crawler (robots token: kb)"
    )
    pace_seconds: float | None = Field(
        None,
        ge=0,
        description="对同一站点两次抓取的间隔(秒),不填为 2,镜像为 0 · pause between two fetches from one host, seconds; "
        "unset: 2, and 0 for a mirror",
    )
    fetch_deadline_seconds: float = Field(
        30.0, gt=0, description="单页抓取总时限(秒) · total time for one fetch, seconds"
    )
    fetch_wire_mib: float = Field(8.0, gt=0, description="单页传输上限(MiB) · transfer cap of one page, MiB")
    fetch_decoded_mib: float = Field(
        16.0, gt=0, description="单页解压后上限(MiB) · cap of one page after decompression, MiB"
    )
    parse_limit_mib: float = Field(
        2.0, gt=0, description="解析的页面上限(MiB) · largest decoded page that is parsed, MiB"
    )
    crawl_page_budget: int = Field(
        5000, ge=1, description="每个来源每次抓取的页数上限 · pages per source and run"
    )
    index_memory_mib: int = Field(
        256,
        ge=32,
        description="建索引用的内存(MiB),各进程合计 · memory for building the index, MiB, all processes together",
    )
    index_batch: int = Field(5000, ge=1, description="每次提交索引的文章数 · articles per index commit")
    query_seconds: float = Field(
        5.0, gt=0, description="一次检索的时限(秒) · time that one query may take, seconds"
    )
    page_size: int = Field(10, ge=1, le=100, description="每页结果数 · results per page")
    search_log_days: int = Field(
        180,
        ge=0,
        le=3650,
        description="检索记录保留的天数(检索式、篇数、用时,不记人),0 为不记 · days that searches are kept (query, total, time; "
        "nobody's name), 0: none are",
    )
    # --- accounts
    anonymous_reading: bool = Field(
        True, description="不登录也可检索和阅读 · searching and reading without an account"
    )
    password_policy: Literal["asvs", "dengbao2"] = Field(
        "asvs",
        description="口令规则:asvs 或 dengbao2(见“账号”) · rules for passwords: asvs or dengbao2",
    )
    password_memory_kib: int = Field(
        65536, ge=8, description="算一次口令散列所用的内存(KiB) · memory of one Argon2id hash, KiB"
    )
    password_passes: int = Field(
        3, ge=1, le=100, description="口令散列的遍数 · passes of an Argon2id hash over its memory"
    )
    password_lanes: int = Field(4, ge=1, le=64, description="口令散列的并行度 · lanes of an Argon2id hash")
    sign_in_idle_minutes: int = Field(
        480,
        ge=1,
        description="多久不用就要重新登录(分钟),dengbao2 最多 30 · minutes without a request after which a sign-in ends; "
        "dengbao2: 30 at most",
    )
    sign_in_hours: int = Field(
        168,
        ge=1,
        description="登录最长的有效时间(小时) · hours after which a sign-in ends in any case",
    )
    # --- personal pages
    search_history_days: int = Field(
        180,
        ge=0,
        le=3650,
        description="个人检索历史保留的天数(只有本人看得到,可自行关闭),0 为不记 · days that a person's own search history is kept "
        "(seen by nobody else, switched off on /me), 0: none is",
    )
    # --- audit and backup
    audit_days: int = Field(
        1095,
        ge=180,
        le=36500,
        description="kb audit prune 保留审计记录的天数,至少 180 · days of audit records that kb audit prune keeps, at least 180",
    )
    audit_key_file: Path | None = Field(
        None,
        description="审计密钥的文件,不填为数据文件夹里的 audit.key · file of the audit key; unset: audit.key in the data folder",
    )
    backups: Path | None = Field(
        None,
        description="升级前自动备份的文件夹,不填为数据文件夹里的 backups · folder of the backups that kb makes before an upgrade; "
        "unset: backups in the data folder",
    )
    # --- limits and metrics
    searches_per_minute: int = Field(
        600,
        ge=1,
        description="每人每分钟检索次数上限(未登录的按地址;输入建议为其三倍;本机不限) · searches a minute of one person "
        "(of one address, signed out; suggestions: three times that; this machine: no limit)",
    )
    sign_ins_per_minute: int = Field(
        20, ge=1, description="每个地址每分钟登录次数上限 · sign-ins a minute from one address"
    )
    uploads_per_minute: int = Field(
        30, ge=1, description="每人每分钟上传次数上限 · uploads a minute of one person"
    )
    exports_per_minute: int = Field(
        20, ge=1, description="每人每分钟导出次数上限 · exports a minute of one person"
    )
    proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="前面有几层自己的反向代理,0 为没有 · reverse proxies of one's own in front, exactly so many; 0: none",
    )
    # --- topics, feeds and the API
    api_per_minute: int = Field(
        600, ge=1, description="每人每分钟调用 API 次数上限 · requests to the API a minute of one person"
    )
    public_url: str = Field(
        "",
        description="别人打开本站所用的网址,用在订阅、站点地图和链接里,不填为请求所用的 · address that others open this site by, for feeds, "
        "sitemap and links; unset: that of the request",
    )
    starter_topics: bool = Field(
        True, description="新库带上自带的专题,只装一次 · a new library gets the shipped topics, once"
    )
    hosts: str = Field(
        "",
        description="只应答这些主机名,逗号分隔,不填为任何 · host names that are answered, comma-separated; unset: any",
    )
    metrics_token_file: Path | None = Field(
        None,
        description="存放 /metrics 口令的文件,不填只许本机 · file with the token for /metrics; unset: this machine only",
    )
    # --- upload
    upload_limit_mib: float = Field(
        32.0, gt=0, le=1024, description="一次上传的文件合计上限(MiB) · all files of one upload together, MiB"
    )
    tls: bool = Field(
        False,
        description="网页经 HTTPS 提供时开启,加发 HSTS · on when pages are served over HTTPS: adds HSTS",
    )
    log_level: str = Field("INFO", description="日志级别 · log level: DEBUG, INFO, WARNING, ERROR")

    @property
    def database(self) -> Path:
        return self.data / "kb.sqlite3"

    @property
    def pages(self) -> Path:
        return self.data / "pages"

    @property
    def index(self) -> Path:
        return self.data / "index"

    @property
    def audit_copy(self) -> Path:
        return self.data / "audit"

    @property
    def own_sources(self) -> Path:
        return self.data / "sources"


def load() -> Settings:
    """Settings from the environment. Raises ConfigError("config.bad_value")."""
    # By hand: pydantic-settings brings asyncio and more, a tenth of the time of a search from the command line.
    named = ((name, f"KB_{name.upper()}") for name in Settings.model_fields)
    try:
        return Settings.model_validate({name: os.environ[key] for name, key in named if key in os.environ})
    except ValidationError as error:
        first = error.errors()[0]
        name = "KB_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError("config.bad_value", name=name, reason=first["msg"]) from error


def prepare_data(settings: Settings) -> None:
    """Create the data folder, private to its owner. Raises ConfigError("config.data_unwritable")."""
    try:
        for folder in (settings.data, settings.pages, settings.index, settings.own_sources):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.data, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigError("config.data_unwritable", path=settings.data, reason=error.strerror) from error


@lru_cache(maxsize=8)
def shipped(name: str = "") -> Path:
    """The folder of shipped files `name` (templates, corpus, docs), from a checkout, an editable or a wheel install.

    In a checkout they lie beside the package; hatchling puts them inside it in a wheel.
    """
    for root in (PACKAGE, PACKAGE.parent):
        if (root / "templates").is_dir() and (root / "corpus").is_dir():
            return root / name
    raise ConfigError("config.bad_value", name="templates/, corpus/", reason=f"not found beside {PACKAGE}")


def lexicon_lines() -> list[str]:
    """The lines of the shipped lexicon, as kb.text.lexicon reads them."""
    return (shipped("corpus") / "lexicon" / "terms.tsv").read_text(encoding="utf-8").splitlines()


def synonyms_text() -> str:
    """The shipped synonyms, as kb.text.synonyms reads them."""
    return (shipped("corpus") / "lexicon" / "synonyms.toml").read_text(encoding="utf-8")
