"""Every failure: a key, its facts, and the words for people in Chinese and English.

Longer than 400 lines because it is one table.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

WORDS: dict[str, dict[Language, str]] = {
    # --- settings -------------------------------------------------------------------------------------------
    "config.bad_value": {
        "zh": "设置 {name} 的值不能用:{reason}。其他设置和数据不受影响;改正后重新运行。",
        "en": "Setting {name} has a value that cannot be used: {reason}. Nothing was changed; correct it and run again.",
    },
    "config.data_unwritable": {
        "zh": "数据文件夹 {path} 不能写入:{reason}。请检查权限,或用 KB_DATA 指定别的文件夹。",
        "en": "The data folder {path} cannot be written: {reason}. Check its permissions or set KB_DATA.",
    },
    "serve.no_port": {
        "zh": "不能在端口 {port} 起开始监听:{reason}。数据不受影响;请用 --port 指定别的端口。",
        "en": "Cannot listen from port {port} on: {reason}. Nothing was changed; choose another with --port.",
    },
    "serve.open": {
        "zh": "监听 {host} 会让同一网络上的任何人都能读到资料,目前还没有账号。请先建账号(kb user add),或确实需要时加 --yes-open。",
        "en": "Listening on {host} lets anyone on the network read; there are no accounts yet. Add one (kb user add), or --yes-open if you mean it.",
    },
    "serve.no_admin": {
        "zh": "监听 {host} 需要一个能登录的管理员,现在没有。数据不受影响;请运行 kb user add NAME --role admin 或 kb user unlock NAME。",
        "en": "Listening on {host} needs an administrator who can sign in; there is none. Run kb user add NAME --role admin, or kb user unlock NAME.",
    },
    "lexicon.bad_line": {
        "zh": "词典 corpus/lexicon/terms.tsv 第 {line} 行不能用:{reason}。数据和索引未改动;改正该行后重新运行。",
        "en": "Line {line} of the lexicon corpus/lexicon/terms.tsv cannot be used: {reason}. Nothing was changed; correct the line and run again.",
    },
    "lexicon.bad_synonyms": {
        "zh": "同义词表 corpus/lexicon/synonyms.toml 的 {place} 不能用:{reason}。数据和索引未改动;改正后重新运行。",
        "en": "{place} of the synonyms corpus/lexicon/synonyms.toml cannot be used: {reason}. Nothing was changed; correct it and run again.",
    },
    # --- eval -----------------------------------------------------------------------------------------------
    "eval.no_file": {
        "zh": "评测集缺少 {path}。需要 docs.jsonl(或 .gz)、queries.tsv、qrels.tsv;资料库未改动。",
        "en": "The set lacks {path}. It needs docs.jsonl (or .gz), queries.tsv and qrels.tsv; the library was not touched.",
    },
    "eval.unreadable": {
        "zh": "评测集的 {path} 读不出:{reason}。资料库未改动;请换一份完好的文件后重新运行。",
        "en": "{path} of the set cannot be read: {reason}. The library was not touched; replace the file and run again.",
    },
    "eval.bad_line": {
        "zh": "评测集 {path} 第 {line} 行不能用:{reason}。资料库未改动;改正该行后重新运行。",
        "en": "Line {line} of {path} cannot be used: {reason}. The library was not touched; correct the line and run again.",
    },
    "eval.repeated": {
        "zh": "评测集的 docs.jsonl 里编号 {id} 重复。资料库未改动;改正后重新运行。",
        "en": "The id {id} occurs twice in docs.jsonl of the set. The library was not touched; correct it and run again.",
    },
    "eval.nothing": {
        "zh": "评测集里没有可用的内容({kind}):文章、检索词和判定要对得上。资料库未改动;请检查后重新运行。",
        "en": "The set holds nothing to measure with ({kind}): documents, queries and judgments must belong together. The library was not touched; check it and run again.",
    },
    # --- running --------------------------------------------------------------------------------------------
    "run.locked": {
        "zh": "另一个写入任务正在运行(进程 {pid})。已存的内容不受影响;等它结束后再运行即可。",
        "en": "Another writing run is active (process {pid}). Nothing is lost; run again when it has ended.",
    },
    # --- add ------------------------------------------------------------------------------------------------
    "add.unknown_type": {
        "zh": "不认识的文件类型:{path}。可用 .txt、.html、.docx、.jsonl、.jsonl.gz;其他文件照常处理。",
        "en": "Unknown kind of file: {path}. Known are .txt, .html, .docx, .jsonl, .jsonl.gz; the other files go on.",
    },
    "add.unreadable": {
        "zh": "读不出 {path}:{reason}。其他文件照常处理;请检查文件是否存在、有无权限。",
        "en": "{path} cannot be read: {reason}. The other files go on; check that it exists and may be read.",
    },
    "add.line_too_long": {
        "zh": "{path} 这一行超过 {limit} 个字,未入库。其他行照常处理。",
        "en": "The line {path} is longer than {limit} characters and was not stored. The other lines go on.",
    },
    # --- parse ----------------------------------------------------------------------------------------------
    "parse.no_title": {
        "zh": "未找到标题:{source} 的 {line_count} 行文字里没有可作标题的行。原页已保留,可改来源文件后运行 kb reparse。",
        "en": "No title found in {line_count} lines from {source}. The page is kept; edit the source file, then run kb reparse.",
    },
    "parse.no_body": {
        "zh": "未找到正文:{source} 没有可读的正文。原页已保留,可改来源文件后运行 kb reparse。",
        "en": "No body text found in {source}. The page is kept; edit the source file, then run kb reparse.",
    },
    "parse.low_confidence": {
        "zh": "{source} 的正文识别把握不足({confidence:.2f}),暂不可检索。原页已保留,已列入待审(/admin/review);请核对后通过或退回,或改来源文件后运行 kb reparse。",
        "en": "The reading of {source} is too uncertain ({confidence:.2f}) to be searchable. The page is kept and waits at /admin/review; pass or return it, or edit the source file and run kb reparse.",
    },
    "parse.too_large": {
        "zh": "页面太大:{source} 解码后有 {size_mib:.1f} MiB,上限 {limit_mib:.1f} MiB。原页已保留,未入库。",
        "en": "Page too large: {source} has {size_mib:.1f} MiB decoded, the limit is {limit_mib:.1f} MiB. The page is kept, not stored as an article.",
    },
    "parse.too_complex": {
        "zh": "页面结构太复杂:{source} 的标签或嵌套层数({tags})超过上限,不能安全解析。原页已保留,未入库。",
        "en": "Page too complex: {source} has more tags or nesting ({tags}) than can be parsed safely. The page is kept, not stored.",
    },
    "parse.not_an_article": {
        "zh": "不是文章:{source} 是提示页({reason}),不是正文页。原页已保留,未入库;请稍后重新抓取或检查网址。",
        "en": "Not an article: {source} is a notice page ({reason}). The page is kept, not stored; fetch it again later or check it.",
    },
    "parse.image_only": {
        "zh": "只有图片:{source} 的正文是图片,没有文字。原页已保留,未入库;需要人工录入。",
        "en": "Pictures only: the body of {source} is images without text. The page is kept, not stored; it must be typed by hand.",
    },
    "parse.bad_archive_line": {
        "zh": "归档第 {line} 行不是 JSON 对象:{reason}。这一行未入库,其他行照常处理;改正后可再次添加。",
        "en": "Archive line {line} is no JSON object: {reason}. It was not stored, the other lines go on; correct it and add the file again.",
    },
    "parse.archive_no_title": {
        "zh": "归档第 {line} 行没有标题(title)。这一行未入库,其他行照常处理;补上后可再次添加。",
        "en": "Archive line {line} has no title. It was not stored, the other lines go on; add one and add the file again.",
    },
    "parse.archive_no_body": {
        "zh": "归档第 {line} 行《{title}》没有正文(body)。这一行未入库,其他行照常处理;补上后可再次添加。",
        "en": "Archive line {line}, {title}, has no body. It was not stored, the other lines go on; add one and add the file again.",
    },
    "parse.archive_withdrawn": {
        "zh": "归档第 {line} 行《{title}》已在来源处撤下,未入库。其他行照常处理。",
        "en": "Archive line {line}, {title}, was withdrawn at its source and was not stored. The other lines go on.",
    },
    "parse.bad_docx": {
        "zh": "Word 文件 {source} 不能打开:{reason}。文件未改动,未入库;请在 Word 中另存为 .docx 后再添加。",
        "en": "The Word file {source} cannot be opened: {reason}. It is unchanged and was not stored; save it as .docx in Word and add it again.",
    },
    # --- sources --------------------------------------------------------------------------------------------
    "source.unreadable": {
        "zh": "来源文件 {path} 读不出:{reason}。数据未改动;改正后运行 kb source check {path}。",
        "en": "The source file {path} cannot be read: {reason}. Nothing was changed; correct it, then run kb source check {path}.",
    },
    "source.unknown_key": {
        "zh": "来源文件 {path} 第 {line} 行:不认识 {name}。可用的有:{known}。数据未改动;改正后再运行。",
        "en": "Source file {path}, line {line}: {name} is not known. Known are: {known}. Nothing was changed; correct it and run again.",
    },
    "source.missing_key": {
        "zh": "来源文件 {path} 缺少 {name}。数据未改动;补上后再运行。",
        "en": "Source file {path} lacks {name}. Nothing was changed; add it and run again.",
    },
    "source.bad_value": {
        "zh": "来源文件 {path} 第 {line} 行:{name} 的值不能用:{reason}。数据未改动;改正后再运行。",
        "en": "Source file {path}, line {line}: the value of {name} cannot be used: {reason}. Nothing was changed; correct it and run again.",
    },
    "source.unknown": {
        "zh": "没有名为 {slug} 的来源。现有:{known}。",
        "en": "There is no source {slug}. There are: {known}.",
    },
    "source.no_start": {
        "zh": "来源 {slug} 还没有起始网址,无法抓取。请在 {path} 的 hosts、start、links 里写明后再运行。",
        "en": "The source {slug} has no start address yet and cannot be crawled. Write hosts, start and links in {path}, then run again.",
    },
    # --- fetch ----------------------------------------------------------------------------------------------
    "fetch.bad_url": {
        "zh": "网址不能用:{url}({reason})。未访问;其他页面照常抓取。",
        "en": "The address cannot be used: {url} ({reason}). It was not visited; the other pages go on.",
    },
    "fetch.scheme": {
        "zh": "只抓取 http 和 https 网址:{url}。未访问;其他页面照常抓取。",
        "en": "Only http and https addresses are fetched: {url}. It was not visited; the other pages go on.",
    },
    "fetch.trap": {
        "zh": "网址里同一段路径反复出现,像是循环链接:{url}。未访问;其他页面照常抓取。",
        "en": "A part of the path repeats itself, as in a loop of links: {url}. It was not visited; the other pages go on.",
    },
    "fetch.port": {
        "zh": "端口 {port} 未获允许:{url}。未访问;确有需要时,请在来源文件的 hosts 里写明主机和端口。",
        "en": "Port {port} is not allowed: {url}. It was not visited; name host and port under hosts in the source file if it is needed.",
    },
    "fetch.out_of_scope": {
        "zh": "{url} 不属于此来源的主机({hosts})。未访问;确有需要时,请在来源文件的 hosts 里写明。",
        "en": "{url} is not on the hosts of this source ({hosts}). It was not visited; add its host to the source file if it is needed.",
    },
    "fetch.blocked_address": {
        "zh": "{url} 指向内部或保留地址 {address},已拒绝连接。内网来源请用 KB_CRAWL_MIRRORS 写明镜像。",
        "en": "{url} leads to the internal or reserved address {address}; the connection was refused. Name intranet mirrors in KB_CRAWL_MIRRORS.",
    },
    "fetch.no_host": {
        "zh": "找不到主机 {host}。已抓取的内容不受影响;请检查网络和域名,稍后再运行。",
        "en": "The host {host} cannot be found. What was fetched is safe; check network and name, then run again.",
    },
    "fetch.unreachable": {
        "zh": "连接不上 {url}({reason})。已抓取的内容不受影响;下次运行会再试。",
        "en": "{url} cannot be reached ({reason}). What was fetched is safe; the next run tries again.",
    },
    "fetch.tls": {
        "zh": "{url} 的证书或加密连接不可信({reason}),已停止。请核实网站;kb 不会忽略证书错误。",
        "en": "The certificate or encryption of {url} cannot be trusted ({reason}). Check the site; kb never ignores certificate errors.",
    },
    "fetch.downgrade": {
        "zh": "{url} 从 https 跳转到不加密的 {target},未跟随。网站只有 http 时,请在来源文件里直接写 http 网址。",
        "en": "{url} redirects from https to plain {target}; not followed. If the site has http only, write the http address in the source file.",
    },
    "fetch.redirects": {
        "zh": "{url} 跳转超过 {limit} 次,已停止。其他页面照常抓取。",
        "en": "{url} redirects more than {limit} times. The other pages go on.",
    },
    "fetch.timeout": {
        "zh": "{url} 没有在时限内传完。已抓取的内容不受影响;下次运行会再试。",
        "en": "{url} was not complete in time. What was fetched is safe; the next run tries again.",
    },
    "fetch.too_large": {
        "zh": "{url} 超过 {limit_mib:.0f} MiB 的上限,已停止,未保存。其他页面照常抓取。",
        "en": "{url} exceeds the limit of {limit_mib:.0f} MiB and was not kept. The other pages go on.",
    },
    "fetch.encoding": {
        "zh": "{url} 用了不支持的压缩方式 {encoding},未保存。其他页面照常抓取。",
        "en": "{url} is packed in a way that is not accepted ({encoding}) and was not kept. The other pages go on.",
    },
    "fetch.content_type": {
        "zh": "{url} 不是网页文字({content_type}),未保存。其他页面照常抓取。",
        "en": "{url} is not a page of text ({content_type}) and was not kept. The other pages go on.",
    },
    "fetch.status": {
        "zh": "{url} 回答 HTTP {status}。已抓取的内容不受影响。",
        "en": "{url} answers HTTP {status}. What was fetched is safe.",
    },
    "fetch.broken": {
        "zh": "{url} 的回答不完整或不合规范({reason}),未保存;下次运行会再试。",
        "en": "The answer of {url} is incomplete or malformed ({reason}) and was not kept; the next run tries again.",
    },
    "fetch.robots": {
        "zh": "网站的 robots.txt 不许抓取 {url}。未访问;如有授权,请与网站联系修改 robots.txt。",
        "en": "The site's robots.txt forbids {url}. It was not visited; ask the site to change it if you have permission.",
    },
    "fetch.robots_unreachable": {
        "zh": "读不到 {origin} 的 robots.txt({reason}),按规定暂停抓取此站。已抓取的内容不受影响;下次运行会再试。",
        "en": "robots.txt of {origin} cannot be read ({reason}), so the site is not crawled now. What was fetched is safe; the next run tries again.",
    },
    "fetch.wait": {
        "zh": "{host} 要求等待 {seconds:.0f} 秒再访问,本次先停。其余页面已记下,下次运行接着抓取。",
        "en": "{host} asks to be left alone for {seconds:.0f} seconds, so this run stops. The other pages are kept for the next run.",
    },
    # --- crawl ----------------------------------------------------------------------------------------------
    "crawl.bad_range": {
        "zh": "日期范围不能用:{since} 晚于 {until}。数据未改动;请改正 --since 或 --until。",
        "en": "The range of days cannot be used: {since} is later than {until}. Nothing was changed; correct --since or --until.",
    },
    "crawl.budget": {
        "zh": "本次已抓取 {pages} 页,达到上限。其余页面已记下,下次运行接着抓取。",
        "en": "This run has fetched {pages} pages, its limit. The other pages are kept for the next run.",
    },
    "crawl.host_down": {
        "zh": "{source} 连续 {count} 次抓取失败,本次先停:{reason} 其余页面已记下,下次运行接着抓取。",
        "en": "{source} failed {count} times in a row, so this run stops: {reason} The other pages are kept for the next run.",
    },
    "crawl.no_links": {
        "zh": "{url} 里没有认得出的版面或文章链接。原页已保留;网站可能改版,请检查来源文件的 links。",
        "en": "{url} has no link that the source file names. The page is kept; the site may have changed, check links in the source file.",
    },
    "crawl.no_issue": {
        "zh": "{url}:这一天没有出刊(HTTP {status})。",
        "en": "{url}: no issue on that day (HTTP {status}).",
    },
    "crawl.page_error": {
        "zh": "处理 {url} 时程序出错({reason})。原页已保留,其他页面照常;请把日志交给维护人员。",
        "en": "Handling {url} failed inside kb ({reason}). The page is kept and the others go on; please give the log to the maintainers.",
    },
    # --- store ----------------------------------------------------------------------------------------------
    "store.newer_schema": {
        "zh": "数据库由更新版本的 kb 建立(版本 {found},本程序认识到 {known})。数据未改动;请升级 kb。",
        "en": "The database was made by a newer kb (revision {found}, this program knows {known}). Nothing was changed; upgrade kb.",
    },
    "store.older_schema": {
        "zh": "数据库的结构较旧(版本 {found},本程序需要 {known})。数据未改动;请先备份,再运行 kb db upgrade。",
        "en": "The database has an older schema (revision {found}, this program needs {known}). Nothing was changed; back it up, then run kb db upgrade.",
    },
    "store.no_article": {
        "zh": "没有编号为 {article_id} 的文章。",
        "en": "There is no article {article_id}.",
    },
    "store.no_version": {
        "zh": "编号为 {article_id} 的文章没有第 {version} 版。现行版本不受影响。",
        "en": "Article {article_id} has no version {version}. Its present version is not affected.",
    },
    "store.withdrawn": {
        "zh": "编号为 {article_id} 的文章已由来源撤回,本库不再提供。请勿引用;需要时请向来源单位核实。",
        "en": "Article {article_id} was withdrawn by its source and is no longer offered. Do not quote it; ask the source.",
    },
    "store.gone": {
        "zh": "编号为 {article_id} 的文章在来源网站上已不存在,本库不再提供。需要时请向来源单位核实。",
        "en": "Article {article_id} no longer exists at its source and is no longer offered. Ask the source if you need it.",
    },
    "store.no_newspaper": {
        "zh": "没有名为「{newspaper}」的报纸。请从版面页选择,或用上方的检索框查找。",
        "en": "There is no newspaper named {newspaper}. Choose one from the list of newspapers, or search.",
    },
    "store.no_issue": {
        "zh": "《{newspaper}》没有 {day} 这一期。请从它的日历选择。",
        "en": "{newspaper} has no issue of {day}. Choose one from its calendar.",
    },
    "store.unwritable": {
        "zh": "{path} 写不进去:{reason}。已存的内容不受影响;请检查磁盘空间和权限,然后再次运行。",
        "en": "{path} cannot be written: {reason}. What is stored is safe; check disk space and permissions, then run again.",
    },
    "store.busy": {
        "zh": "资料库正忙:别的写入还没有结束。这一步没有做,已存的内容不受影响;请稍后再试。",
        "en": "The store is busy: somebody else is still writing. This was not done and what is stored is safe; try again later.",
    },
    "store.page_missing": {
        "zh": "原页文件 {path} 不在了。文章不受影响;下次抓取会重新保存,或从备份恢复。",
        "en": "The raw page {path} is missing. The article is not affected; the next crawl keeps it anew, or restore a backup.",
    },
    "store.page_damaged": {
        "zh": "原页文件 {path} 已损坏。文章不受影响;删除它后下次抓取会重新保存,或从备份恢复。",
        "en": "The raw page {path} is damaged. The article is not affected; delete it and the next crawl keeps it anew, or restore a backup.",
    },
    # --- index ----------------------------------------------------------------------------------------------
    "index.unavailable": {
        "zh": "索引正在重建,暂时不能检索。文章没有丢失;请稍后再试,或运行 kb reindex --all。",
        "en": "The index is being rebuilt; searching is not possible yet. No article is lost; try again soon or run kb reindex --all.",
    },
    "index.missing": {
        "zh": "还没有索引,不能检索。文章没有丢失;请运行 kb reindex --all。",
        "en": "There is no index yet; searching is not possible. No article is lost; run kb reindex --all.",
    },
    "index.damaged": {
        "zh": "索引已损坏({file}:{reason})。文章没有丢失;重建之前用完好的上一代索引检索,没有时暂不能检索。请运行 kb reindex --all。",
        "en": "The index is damaged ({file}: {reason}). No article is lost; until it is rebuilt the last whole one answers, if there is one. Run kb reindex --all.",
    },
    "index.outdated": {
        "zh": "索引是用另一版分词、词典或格式建立的,与本程序不合,不用它检索。文章没有丢失;请运行 kb reindex --all,升级后请重启 kb serve。",
        "en": "The index was made with another segmenter, lexicon or format and is not searched by this program. No article is lost; run kb reindex --all, and restart kb serve after an upgrade.",
    },
    "index.unwritable": {
        "zh": "索引写不进去({path}:{reason})。检索照常,文章没有丢失;请检查磁盘空间和权限,之后会自动补上,也可运行 kb reindex --new。",
        "en": "The index cannot be written ({path}: {reason}). Searching goes on and no article is lost; check disk space and permissions, then run kb reindex --new, or wait for the server to do it.",
    },
    "index.kernels": {
        "zh": "检索内核不能编译({reason})。文章没有丢失;请检查 {folder} 能否写入、内存是否够用,然后再次运行。",
        "en": "The search kernels cannot be compiled ({reason}). No article is lost; see that {folder} can be written to and memory suffices, then run again.",
    },
    "search.too_slow": {
        "zh": "这次检索超过 {seconds:g} 秒,已停止。资料和索引不受影响;请换用更具体的词语,或加上日期、报纸条件后再试。",
        "en": "The search took more than {seconds:g} seconds and was stopped. Nothing was changed; use more specific words, or add a date or newspaper, and try again.",
    },
    # --- query ----------------------------------------------------------------------------------------------
    "query.empty": {
        "zh": "没有可检索的文字。请输入词语,例如:党建 业务 融合。",
        "en": "There is nothing to search for. Type some words, for example: 党建 业务 融合.",
    },
    "query.too_long": {
        "zh": "检索式有 {length} 个字,上限 {limit} 个。请缩短后再试。",
        "en": "The query has {length} characters, the limit is {limit}. Shorten it and try again.",
    },
    "query.too_many_terms": {
        "zh": "检索式有 {count} 个词,上限 {limit} 个。请减少词语后再试。",
        "en": "The query has {count} terms, the limit is {limit}. Use fewer and try again.",
    },
    "query.unclosed": {
        "zh": "第 {place} 个字处的 {mark} 没有配对。请补上另一半,或去掉它按词语检索。",
        "en": "The mark {mark} at character {place} is not closed. Close it, or remove it to search for words.",
    },
    "query.no_value": {
        "zh": "第 {place} 个字处的「{name}」后面没有内容。请写上要找的词,例如 标题:融合。",
        "en": "Nothing follows {name} at character {place}. Write what to look for, for example 标题:融合.",
    },
    "query.bad_date": {
        "zh": "第 {place} 个字处的日期「{value}」读不懂。可写 2023、2023-08、2023-08-02、2023-01..2023-06、今年、近三个月。",
        "en": "The date {value} at character {place} cannot be read. Write 2023, 2023-08, 2023-08-02, 2023-01..2023-06, 今年 or 近三个月.",
    },
    "query.bad_length": {
        "zh": "第 {place} 个字处的字数「{value}」读不懂。可写 2000、>2000、<=500 或 1000..3000。",
        "en": "The length {value} at character {place} cannot be read. Write 2000, >2000, <=500 or 1000..3000.",
    },
    "query.not_open": {
        "zh": "第 {place} 个字处的括号 {mark} 前面没有对应的左括号。请补上左括号,或去掉它。",
        "en": "The parenthesis {mark} at character {place} closes nothing. Open one before it, or remove it.",
    },
    "query.no_operand": {
        "zh": "第 {place} 个字处的「{mark}」旁边缺少要找的词。请补上词语;要找这个字本身,请加引号。",
        "en": "Something to look for is missing beside {mark} at character {place}. Add it; to find these characters themselves, quote them.",
    },
    "query.field_in_field": {
        "zh": "第 {place} 个字处的「{name}」写在另一个字段的括号里,不能同时限定两个字段。请移到括号外。",
        "en": "{name} at character {place} stands inside the parentheses of another field. Move it outside.",
    },
    "query.nested_too_deep": {
        "zh": "第 {place} 个字处的括号套了超过 {limit} 层。请减少层数。",
        "en": "At character {place} more than {limit} levels are nested. Use fewer.",
    },
    "query.bad_parameter": {
        "zh": "网址里的参数 {name} 的值不能用:{value}。请从检索页重新开始,或改正网址。",
        "en": "The parameter {name} of the address has a value that cannot be used: {value}. Start from the search page.",
    },
    "query.too_deep": {
        "zh": "网页只列出前 {limit} 条结果。请加词或用筛选缩小范围;全部文章可由运维用 kb export 取得。",
        "en": "Pages list the first {limit} results. Add words or filters; every article can be had with kb export.",
    },
    # --- accounts ---------------------------------------------------------------------------------------------
    "access.sign_in_needed": {
        "zh": "这一页需要登录。登录后会回到这里;没有账号请找管理员。",
        "en": "This page needs a sign-in and will open after it. Ask the administrator for an account.",
    },
    "access.role_needed": {
        "zh": "您的账号不能使用这一页,需要的角色:{roles}。内容没有改动;确有需要请找管理员。",
        "en": "Your account may not use this page, which is for: {roles}. Nothing was changed; ask the administrator.",
    },
    "access.sign_in_expired": {
        "zh": "登录已过期,请重新登录;登录后会回到这里。没有提交的内容没有保存。",
        "en": "The sign-in has expired. Sign in again; this page will open after it. What was not sent was not saved.",
    },
    "access.password_due": {
        "zh": "请先修改密码,然后继续。",
        "en": "Change the password first, then go on.",
    },
    "account.bad_name": {
        "zh": "账号名“{name}”不能用:2 到 64 个字,可用汉字、字母、数字和 . _ - @。没有改动;请换一个。",
        "en": "The account name {name!r} cannot be used: 2 to 64 letters, digits or . _ - @. Nothing was changed; choose another.",
    },
    "account.bad_full_name": {
        "zh": "姓名要有 1 到 64 个字,不能有换行和控制字符。没有改动;请改正。",
        "en": "A person's name has 1 to 64 characters and no control characters. Nothing was changed; correct it.",
    },
    "account.bad_role": {
        "zh": "没有“{role}”这种角色;可用:{roles}。没有改动;请改正。",
        "en": "There is no role {role!r}; there are: {roles}. Nothing was changed; correct it.",
    },
    "account.name_taken": {
        "zh": "已经有账号“{name}”。没有改动;请换一个账号名。",
        "en": "There is an account {name!r} already. Nothing was changed; choose another name.",
    },
    "account.unknown": {
        "zh": "没有这个账号:{name}。没有改动;用 kb user list 或用户页面查看。",
        "en": "There is no such account: {name}. Nothing was changed; see kb user list.",
    },
    "account.no_unit": {
        "zh": "没有编号为 {unit} 的单位。没有改动;请从列表中选择。",
        "en": "There is no unit with the number {unit}. Nothing was changed; choose one of the list.",
    },
    "account.last_admin": {
        "zh": "“{name}”是最后一个能登录的管理员,不能锁定、删除或改换角色。没有改动;请先指定另一个管理员。",
        "en": "{name} is the last administrator who can sign in: not locked, deleted or given another role. Name another first.",
    },
    "account.no_password": {
        "zh": "没有收到密码。没有改动;在终端里运行,或把密码作为标准输入的第一行。",
        "en": "No password was given. Nothing was changed; run it in a terminal, or give the password on standard input.",
    },
    "account.password_short": {
        "zh": "密码太短:至少 {least} 个字,建议 15 个以上。没有改动;一句自己记得住的话就很好。",
        "en": "The password is too short: {least} characters at least, 15 or more are better. Nothing was changed.",
    },
    "account.password_long": {
        "zh": "密码太长:最多 {most} 个字。没有改动;请缩短。",
        "en": "The password is too long: {most} characters at most. Nothing was changed; shorten it.",
    },
    "account.password_common": {
        "zh": "这个密码很多人用,一猜就中。没有改动;请换一个。",
        "en": "Many people use this password, so it is guessed first. Nothing was changed; choose another.",
    },
    "account.password_is_name": {
        "zh": "密码不能是账号名或姓名。没有改动;请换一个。",
        "en": "The password may not be the account's or the person's name. Nothing was changed; choose another.",
    },
    "account.password_classes": {
        "zh": "密码要含大写字母、小写字母、数字、其他符号中的至少三种。没有改动;请换一个。",
        "en": "The password needs three of: capitals, small letters, digits, other characters. Nothing was changed.",
    },
    "account.password_used": {
        "zh": "这个密码正在用或最近用过(最近 {count} 个不能再用)。没有改动;请换一个。",
        "en": "This password is in use or was lately (the last {count} may not be taken again). Nothing was changed.",
    },
    "account.password_wrong": {
        "zh": "现在的密码不对。没有改动;请再输一次。",
        "en": "The present password is another one. Nothing was changed; type it again.",
    },
    "account.password_differs": {
        "zh": "两次输入的新密码不一样。没有改动;请再输一次。",
        "en": "The two new passwords differ. Nothing was changed; type them again.",
    },
    "account.sign_in_failed": {
        "zh": "账号名或密码不对。忘了密码请找管理员。",
        "en": "The name or the password is wrong. Ask the administrator if you forgot it.",
    },
    "account.wait": {
        "zh": "试错太多次,请在 {time} 以后再试(约 {wait})。在登录过的电脑上一般不受影响;忘了密码请找管理员。",
        "en": "Too many wrong tries. Try again after {time} (in about {seconds} s), or on a computer that you signed in on before.",
    },
    "account.locked": {
        "zh": "这个账号已被管理员锁定。确实需要时请找管理员。",
        "en": "The administrator has locked this account. Ask him or her if you need it.",
    },
    "account.busy": {
        "zh": "现在登录的人太多。没有改动;请稍后再试。",
        "en": "Too many people are signing in now. Nothing was changed; try again later.",
    },
    "account.first_over": {
        "zh": "这个链接不能用了:它只能用一次,而且有期限。还没有管理员时,重新启动 kb serve 会给出新的链接。",
        "en": "This link is no longer good: it works once and for a time. While there is no administrator, kb serve prints a new one.",
    },
    # --- limits (who may see what) ----------------------------------------------------------------------------
    "limit.no_unit": {
        "zh": "没有选定单位,或所选单位已被删除。没有内容被改动;请至少选一个单位,要对所有人显示请用“解除”。",
        "en": "No unit was chosen, or one of them is gone. Nothing was changed; choose at least one, or lift the limit.",
    },
    "limit.no_source": {
        "zh": "没有来源 {name}。没有内容被改动;请从列表里选一个。",
        "en": "There is no source {name}. Nothing was changed; choose one of the list.",
    },
    "limit.no_article": {
        "zh": "找不到文章:{name}。没有内容被改动;请填文章编号、它在本库的网址或原文网址,一行一篇。",
        "en": "No article found: {name}. Nothing was changed; give ids or addresses of articles, one a line.",
    },
    "limit.too_many": {
        "zh": "一次最多 {limit} 篇。没有内容被改动;请分几次填,或限制整个来源。",
        "en": "At most {limit} articles at a time. Nothing was changed; do it in parts, or limit the source.",
    },
    "limit.none": {
        "zh": "{name} 没有阅读限制,可能刚被解除。没有内容被改动。",
        "en": "{name} is not limited; the limit may have just been lifted. Nothing was changed.",
    },
    # --- audit ------------------------------------------------------------------------------------------------
    "audit.key_missing": {
        "zh": "读不到审计密钥 {path}({reason}),不能记录也不能核对,这一步没有做。请把密钥放回原处;不要另建一把。",
        "en": "The audit key {path} cannot be read ({reason}): nothing can be recorded or verified, and this was not done. Put the key back; do not make another.",
    },
    "audit.other_key": {
        "zh": "第 {seq} 条起的记录由另一把密钥({name})封存,这里没有,不能核对。请用 kb audit verify --key 指明它的文件。",
        "en": "Records from number {seq} on are sealed with another key ({name}), which is not here. Name its file with kb audit verify --key.",
    },
    "audit.altered": {
        "zh": "第 {seq} 条记录被改动过:与它的封印不符。请保全现场,对照 audit 文件夹里的副本。",
        "en": "Record {seq} was altered: it does not fit its seal. Secure the evidence and compare the copy in the audit folder.",
    },
    "audit.missing": {
        "zh": "第 {seq} 条记录不见了。请保全现场,对照 audit 文件夹里的副本。",
        "en": "Record {seq} is missing. Secure the evidence and compare the copy in the audit folder.",
    },
    "audit.added": {
        "zh": "第 {seq} 条记录不是系统写下的:它在封存的末尾之后或起点之前。请保全现场。",
        "en": "Record {seq} was not written by kb: it lies outside the sealed ends. Secure the evidence.",
    },
    "audit.out_of_order": {
        "zh": "第 {seq} 条记录接不上前一条:有记录被调换或替换。请保全现场。",
        "en": "Record {seq} does not follow the one before: records were exchanged. Secure the evidence.",
    },
    "audit.broken_before": {
        "zh": "写第 {seq} 条记录时,前面的记录已经对不上:日志在它之前被动过。请对照 audit 文件夹里的副本。",
        "en": "When record {seq} was written the log before it no longer held: it had been tampered with. Compare the copy in the audit folder.",
    },
    "audit.ends_altered": {
        "zh": "日志两端的封存标记被改动或删去(第 {seq} 条处)。请保全现场,对照 audit 文件夹里的副本。",
        "en": "The sealed ends of the log were altered or removed (at record {seq}). Secure the evidence and compare the copy in the audit folder.",
    },
    "audit.wiped": {
        "zh": "审计日志是空的,而密钥 {path} 已经存在:从第 {seq} 条起全部被删。请保全现场。",
        "en": "The audit log is empty although its key {path} exists: everything from record {seq} on was deleted. Secure the evidence.",
    },
    "audit.unguarded": {
        "zh": "数据库里防止改动审计日志的触发器 {name} 不见了(现存第一条是第 {seq} 条)。记录本身相符;请查明是谁删去的。",
        "en": "The trigger {name} that keeps the audit log from being changed is gone (the first record is {seq}). The records hold; find out who removed it.",
    },
    "audit.copy_missing": {
        "zh": "副本({folder})缺第 {seq} 条记录,它曾经写入。数据库里的记录相符;请查明副本为何被截短。",
        "en": "The copy ({folder}) lacks record {seq}, which had been written there. The database holds; find out who cut the copy.",
    },
    "audit.copy_altered": {
        "zh": "副本({folder})的第 {seq} 条与数据库不符,副本被改动过。请保全现场。",
        "en": "Record {seq} of the copy ({folder}) differs from the database: the copy was altered. Secure the evidence.",
    },
    "audit.copy_ahead": {
        "zh": "副本({folder})里有第 {seq} 条,数据库里没有:数据库被截短,或换成了旧的。请保全现场。",
        "en": "The copy ({folder}) has record {seq}, which the database lacks: the database was cut, or replaced by an older one. Secure the evidence.",
    },
    "audit.copy_unreadable": {
        "zh": "副本({folder})读不出来({reason}),没有核对它。记录照常写进数据库,没有丢失;请检查权限,再核对一次。",
        "en": "The copy ({folder}) cannot be read ({reason}) and was not verified. Records go on in the database and none is lost; check permissions, then verify again.",
    },
    "audit.head_differs": {
        "zh": "第 {seq} 条与另存的封印不符:日志被截短或整个重写过。请保全现场。",
        "en": "Record {seq} does not have the seal that was kept elsewhere: the log was cut or rewritten. Secure the evidence.",
    },
    "audit.bad_head": {
        "zh": "--head 的值读不懂:{value}。请写 kb audit head 打印的那一行,例如 812:3fa9…。",
        "en": "The value of --head cannot be read: {value}. Give the line that kb audit head printed, such as 812:3fa9….",
    },
    # --- backup -----------------------------------------------------------------------------------------------
    "backup.unwritable": {
        "zh": "{path} 写不进去:{reason}。没有留下半份文件,资料库不受影响;请腾出空间或检查权限后再次运行。",
        "en": "{path} cannot be written: {reason}. Nothing half done was left and the library is not affected; make room or check permissions and run again.",
    },
    "backup.source_damaged": {
        "zh": "资料库 {path} 读不完整,没有留下备份:{reason}。请停止写入,运行 kb doctor,用最近完好的备份恢复。",
        "en": "The library {path} cannot be read whole, so no backup was kept: {reason}. Stop writing, run kb doctor and restore the last whole backup.",
    },
    "backup.bad_name": {
        "zh": "文件名 {name} 不能放进备份。没有留下备份;请改成短的英文名(.toml)后再次运行。",
        "en": "A file named {name} cannot be put into a backup. None was kept; give it a short Latin name (.toml) and run again.",
    },
    "backup.running": {
        "zh": "另一个备份正在写入 {path}。已有的备份不受影响;等它结束后再运行即可。",
        "en": "Another backup is writing to {path}. Finished ones are not affected; run again when it has ended.",
    },
    "backup.too_large": {
        "zh": "备份里的数据库解开后放不下:超过了可用的 {mib} MiB(要留出 1 GiB)。没有恢复任何内容;请换更大的磁盘,或核实这份备份的来历。",
        "en": "The database in the backup does not fit: unpacked it has more than the {mib} MiB that may be used (1 GiB is left free). Nothing was restored; use a larger disk, or find out where this backup came from.",
    },
    "backup.unreadable": {
        "zh": "读不出备份 {path}:{reason}。数据文件夹没有改动;请检查文件是否存在、有无权限。",
        "en": "The backup {path} cannot be read: {reason}. The data folder was not changed; check that it exists and may be read.",
    },
    "backup.damaged": {
        "zh": "备份 {path} 不完整或被改动过({reason}),没有恢复任何内容。请换另一份备份。",
        "en": "The backup {path} is cut short or was altered ({reason}); nothing was restored. Use another backup.",
    },
    "backup.not_empty": {
        "zh": "数据文件夹 {path} 里已有 {name},没有恢复,也没有改动。请指定一个空的文件夹,或先把里面的内容移到别处。",
        "en": "The data folder {path} already holds {name}; nothing was restored or changed. Name an empty folder, or move its content away first.",
    },
    "backup.not_restored": {
        "zh": "数据文件夹 {path} 里的恢复没有完成。请再次运行同一条 kb restore 命令,它会从头做完。",
        "en": "Restoring into the data folder {path} was not finished. Run the same kb restore command again; it starts over.",
    },
    # --- sources and runs on the web --------------------------------------------------------------------------
    "trial.nothing_given": {
        "zh": "没有可读的页:请选一个另存下来的网页文件,或填写一个库里存有原页的网址。没有任何内容被改动。",
        "en": "Nothing to read: choose the file of a saved page, or give an address whose page is kept. Nothing was changed.",
    },
    "trial.not_kept": {
        "zh": "库里没有保存 {url} 的原页,网页服务自己不联网。请把网页另存后上传;在服务器上可用 kb crawl 抓取,或用 kb source try。",
        "en": "The page {url} is not kept, and the web service has no network. Upload the saved page; on the server use kb crawl or kb source try.",
    },
    "trial.too_large": {
        "zh": "文件有 {size_mib:.1f} MiB,上限 {limit_mib:.0f} MiB,没有读。没有任何内容被改动。",
        "en": "The file has {size_mib:.1f} MiB, more than {limit_mib:.0f} MiB, and was not read. Nothing was changed.",
    },
    # --- lexicon on the web -----------------------------------------------------------------------------------
    "words.bad_word": {
        "zh": "「{word}」不能作词条:{field}{reason}。词表没有改动;改正后再试。",
        "en": "“{word}” cannot be a term ({field}: {reason}). The lexicon was not changed; correct it and try again.",
    },
    "words.known": {
        "zh": "「{word}」已在词表中,不必再加。词表没有改动。",
        "en": "“{word}” is in the lexicon already. Nothing was changed.",
    },
    "words.unknown": {
        "zh": "词表里没有「{word}」,可能刚被别人移除。词表没有改动;请刷新后再看。",
        "en": "“{word}” is not in the lexicon; somebody may just have removed it. Nothing was changed; reload the page.",
    },
    "words.bad_lines": {
        "zh": "有 {count} 处不能用,一行也没有导入;改正后再试。",
        "en": "{count} faults, so no line was imported. Correct them and try again.",
    },
    "words.bad_group": {
        "zh": "这组同义词不能用:{reason}。同义词没有改动;改正后再试。",
        "en": "These equal names cannot be used: {reason}. Nothing was changed; correct them and try again.",
    },
    "words.no_group": {
        "zh": "没有这组同义词,可能刚被别人改动。同义词没有改动;请刷新后再看。",
        "en": "There is no such group of equal names; somebody may just have changed it. Nothing was changed; reload the page.",
    },
    # --- upload and review ------------------------------------------------------------------------------------
    "review.decided": {
        "zh": "这一页刚由 {by} 处理({state}),您的决定没有生效。内容没有丢失;需要改变时可先放回待审。",
        "en": "{by} has just decided about this page ({state}), so your decision was not taken. Nothing is lost; put it back into the queue to change it.",
    },
    "review.changed": {
        "zh": "这一页在您查看期间有了新内容,您的决定没有生效。请按现在的内容重新核对。",
        "en": "This page changed while you were looking at it, so your decision was not taken. Judge it as it is now.",
    },
    "review.bad_field": {
        "zh": "{field}不能用:{reason}。这一页没有入库,填写的内容都还在;改正后再点通过。",
        "en": "{field} cannot be used: {reason}. The page was not stored and what you typed is kept; correct it and pass it again.",
    },
    "upload.nothing": {
        "zh": "没有选择文件。资料库没有改动;请选择文件后再上传。",
        "en": "No file was chosen. Nothing was changed; choose files and upload again.",
    },
    "upload.too_large": {
        "zh": "一次上传的文件合计超过 {limit_mib:g} MiB,或多于 {files} 个,没有接收。资料库没有改动;请分几次上传。",
        "en": "The files together are larger than {limit_mib:g} MiB, or more than {files}, and were not taken. Nothing was changed; upload them in parts.",
    },
    "upload.busy": {
        "zh": "另一批文件正在处理,这一批没有接收。资料库没有改动;请一分钟后再上传。",
        "en": "Other files are being read, so these were not taken. Nothing was changed; upload them again in a minute.",
    },
    "upload.too_slow": {
        "zh": "{name} 解析时超过 {seconds:.0f} 秒没有进展,已放弃。其他文件照常处理,已入库的内容不受影响;请拆小或换一种格式后再传。",
        "en": "Reading {name} made no progress for {seconds:.0f} seconds and was given up. The other files went on; split it or use another format.",
    },
    "upload.out_of_time": {
        "zh": "{name} 没有处理完:这一批文件合计超过 {seconds:.0f} 秒。已入库的内容不受影响;请分几次上传,大文件先拆小。",
        "en": "{name} was not read to its end: all files together took longer than {seconds:.0f} seconds. What was stored stays; upload them in parts and split large files.",
    },
    "upload.not_begun": {
        "zh": "{name} 还没有开始处理:排在前面的文件合计已用完 {seconds:.0f} 秒。请把这个文件另外再传一次。",
        "en": "{name} was not begun: the files before it took all of the {seconds:.0f} seconds. Upload it again by itself.",
    },
    "upload.failed": {
        "zh": "{name} 有内容没有入库:解析时出错,或不能由您更新。其他内容照常处理;请换一种格式,或把文件交给运维。",
        "en": "Something in {name} was not stored: reading it failed, or it is not yours to change. The rest went on; use another format, or hand the file to the operator.",
    },
    # --- personal pages ---------------------------------------------------------------------------------------
    "account.unit_name": {
        "zh": "单位名称要有 1 到 {limit} 个字,不能有控制字符。没有改动;请改正。",
        "en": "The name of a unit has 1 to {limit} characters and no control characters. Nothing was changed; correct it.",
    },
    "account.unit_taken": {
        "zh": "已经有单位“{name}”。没有改动;请换一个名称。",
        "en": "There is a unit {name!r} already. Nothing was changed; choose another name.",
    },
    "account.unit_used": {
        "zh": "单位“{name}”不能删除:还有 {sources} 个来源、{articles} 篇文章只给这个单位看。没有改动;请先在“阅读范围”里解除。",
        "en": "The unit {name!r} is not deleted: {sources} sources and {articles} articles are limited to it. Nothing was changed; lift these limits first.",
    },
    # --- topics --------------------------------------------------------------------------------------------
    "topic.unknown": {
        "zh": "没有专题 {slug}。没有改动;请从专题目录重新打开,或检查网址。",
        "en": "There is no topic {slug}. Nothing was changed; open it from the list of topics, or check the address.",
    },
    "topic.no_version": {
        "zh": "专题 {slug} 没有第 {version} 版。没有改动;请从修改记录里选择。",
        "en": "The topic {slug} has no version {version}. Nothing was changed; choose one from its history.",
    },
    "topic.bad_slug": {
        "zh": "网址名「{slug}」不能用:要有 2 到 60 个小写英文字母、数字或连字符,以字母或数字开头。没有改动;请改正。",
        "en": "The slug {slug!r} cannot be used: it has 2 to 60 small Latin letters, digits or hyphens and begins with a letter or digit. Nothing was changed.",
    },
    "topic.slug_taken": {
        "zh": "网址名 {slug} 已被专题「{name}」使用(也可能已移除)。没有改动;请换一个。",
        "en": "The slug {slug} belongs to the topic {name!r}, which may be removed. Nothing was changed; choose another.",
    },
    "topic.bad_name": {
        "zh": "专题名称要有 1 到 {limit} 个字,其中要有文字或数字。没有改动;请改正。",
        "en": "The name of a topic has 1 to {limit} characters, letters or digits among them. Nothing was changed; correct it.",
    },
    "topic.name_taken": {
        "zh": "已经有专题「{name}」(网址名 {slug})。没有改动;请换一个名称。",
        "en": "There is a topic {name!r} already (slug {slug}). Nothing was changed; choose another name.",
    },
    "topic.in_rule": {
        "zh": "第 {place} 个字处的「{name}」:专题的规则里不能再写专题。没有改动;请直接写要找的词。",
        "en": "{name} at character {place}: the rule of a topic cannot ask for topics. Nothing was changed; write what to look for itself.",
    },
    "topic.bad_parent": {
        "zh": "上级专题 {parent} 不能用:{reason}。没有改动;专题只分两级,请另选上级或不选。",
        "en": "{parent} cannot be the topic above: {reason}. Nothing was changed; there are two levels. Choose another or none.",
    },
    "topic.too_long": {
        "zh": "{field}有 {length} 个字,上限 {limit} 个。没有改动;请缩短。",
        "en": "{field} has {length} characters, the limit is {limit}. Nothing was changed; shorten it.",
    },
    "topic.too_many": {
        "zh": "{field}有 {count} 篇,上限 {limit} 篇。没有改动;请先减少,或把规则写得更准。",
        "en": "{field}: {count} articles, the limit is {limit}. Nothing was changed; take some out, or make the rule more exact.",
    },
    "topic.bad_value": {
        "zh": "{field}不能用:{value}。没有改动;请改正。",
        "en": "{field} cannot be used: {value}. Nothing was changed; correct it.",
    },
    "topic.changed_meanwhile": {
        "zh": "这个专题在您编辑期间由 {by} 改过(现在是第 {version} 版),您的修改没有保存。两份内容都没有丢失;请对照后再保存。",
        "en": "{by} changed this topic while you were editing it (version {version} now), so your change was not kept. Nothing is lost; compare both and save again.",
    },
    "topic.is_removed": {
        "zh": "专题「{name}」已移除,不能修改。没有改动;请先恢复它。",
        "en": "The topic {name!r} is removed and cannot be changed. Nothing was changed; put it back first.",
    },
    "topic.has_children": {
        "zh": "专题「{name}」下面还有 {count} 个专题。没有改动;请先移除它们,或换到别的上级。",
        "en": "There are {count} topics under {name!r}. Nothing was changed; remove them or move them first.",
    },
    "topic.pinned_and_excluded": {
        "zh": "文章 {article_id} 不能既是必读又被移出。没有改动;请先取消必读,或先恢复到专题。",
        "en": "Article {article_id} cannot be pinned and excluded at once. Nothing was changed; unpin it or readmit it first.",
    },
    "topic.not_pinned": {
        "zh": "文章 {article_id} 不在必读里,可能刚被别人取消。没有改动;请刷新后再看。",
        "en": "Article {article_id} is not pinned; somebody may just have unpinned it. Nothing was changed; reload the page.",
    },
    "topic.no_reason": {
        "zh": "没有写移出的理由。没有改动;请写一句理由,例如:会议通知,不是学习材料。",
        "en": "No reason for the exclusion was given. Nothing was changed; write one.",
    },
    "topic.bad_file": {
        "zh": "专题文件 {path} 不能用:{reason}。资料库未改动;改正后重新运行。",
        "en": "The topic file {path} cannot be used: {reason}. Nothing was changed; correct it and run again.",
    },
    # --- formulations --------------------------------------------------------------------------------------
    # --- feeds and saved searches --------------------------------------------------------------------------
    # --- API and tokens ------------------------------------------------------------------------------------
    # --- web ------------------------------------------------------------------------------------------------
    "web.bad_request": {
        "zh": "服务器读不懂这个请求。没有任何内容被改动;请从首页重新开始。",
        "en": "The request cannot be understood. Nothing was changed; start again from the home page.",
    },
    "web.not_found": {
        "zh": "没有这个页面。请检查网址,或用上方的检索框查找。",
        "en": "There is no such page. Check the address, or use the search box.",
    },
    "web.method_not_allowed": {
        "zh": "这个页面不接受这种请求方法。没有任何内容被改动。",
        "en": "This page does not take this kind of request. Nothing was changed.",
    },
    "web.too_large": {
        "zh": "发送的内容太大,没有接收。请缩短后再试。",
        "en": "What was sent is too large and was not taken. Shorten it and try again.",
    },
    "web.too_many_requests": {
        "zh": "请求太多,请稍后再试。已打开的页面不受影响。",
        "en": "Too many requests; try again later. Open pages are not affected.",
    },
    "metrics.refused": {
        "zh": "监控数据只给本机的程序,或带着口令的请求。内容没有改动;口令由运维设置(KB_METRICS_TOKEN_FILE)。",
        "en": "Figures are for programs on this machine, or for requests with the token that the operator sets (KB_METRICS_TOKEN_FILE).",
    },
    "metrics.no_token": {
        "zh": "口令文件 {path} 不能用:要读得出,内容是不少于 {limit} 个字符的 ASCII 文字。其他设置和数据不受影响;改正后重新运行。",
        "en": "The token file {path} cannot be used: it must be readable and hold at least {limit} ASCII characters. Correct it and start again.",
    },
    "web.failed": {
        "zh": "系统出错,这次请求没有完成。文章没有丢失;请稍后再试,仍然出错时把下面的请求编号告诉运维。",
        "en": "Something failed and the request was not done. No article is lost; try again, or tell the operator the request id.",
    },
    "web.unavailable": {
        "zh": "服务暂时不可用。文章没有丢失;请稍后再试。",
        "en": "The service is not available now. No article is lost; try again later.",
    },
}


class KbError(Exception):
    """A failure that has a name. `key` is in WORDS; `facts` fill its sentences."""

    exit_code = 1

    def __init__(self, key: str, **facts: object) -> None:
        self.key = key
        self.facts = facts
        super().__init__(self.words("en"))

    def words(self, language: Language = "zh") -> str:
        """The sentence for people: what happened, what is safe, what to do."""
        return WORDS[self.key][language].format(**self.facts)


class ConfigError(KbError):
    """A setting, source file or shipped file that cannot be used."""

    exit_code = 3


class JudgmentsError(KbError):
    """Judged queries that cannot be used."""

    exit_code = 2


class LockedError(KbError):
    """Another run holds the lock."""

    exit_code = 4


class EngineDownError(KbError):
    """The index cannot answer now."""

    exit_code = 5


class TooSlowError(KbError):
    """A query that took longer than it may."""


class ParseError(KbError):
    """A page or file from which no article can be read."""


class FetchError(KbError):
    """A page that could not be fetched, or must not be."""


class QueryError(KbError):
    """A query that cannot be read."""

    exit_code = 2


class WordsError(KbError):
    """A term or a group of equal names that cannot be used."""

    exit_code = 2


class TopicError(KbError):
    """A topic that is not there, or a change of one that cannot be made."""

    exit_code = 2


class ReviewError(KbError):
    """A decision about a page that waits, which could not be taken."""


class UploadError(KbError):
    """Files that could not be taken."""


class AccessError(KbError):
    """Somebody asks for what is not his or hers to use."""


class AccountError(KbError):
    """An account, its password or a sign-in that cannot be as asked."""

    exit_code = 2


class AuditError(KbError):
    """The audit log cannot be written, or does not hold. The fact `seq` is the first number that is wrong."""


class BackupError(KbError):
    """A backup that cannot be made, or must not be restored."""


class StoreError(KbError):
    """The store refuses."""


class BusyError(StoreError):
    """Somebody else holds the store's write lock; later it goes."""

    exit_code = 4
