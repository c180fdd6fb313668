/* Suggestions under the search boxes, and keys. Pages work without it. ES2019, for Chromium 83 and later. */
(function () {
  "use strict";

  const PAUSE_MS = 120; // after the last keystroke, before suggestions are asked for
  const CONFIRM_MS = 60; // an Enter so soon after an IME has ended belongs to the IME
  const ADDRESS = document.currentScript.dataset.suggest;
  const HELP = document.currentScript.dataset.help;

  /* A combobox with a listbox (ARIA 1.2), made of one search form. What is typed is never changed. */
  function suggestUnder(form, input) {
    const list = document.createElement("ul");
    const told = document.createElement("span");
    let options = []; // what the list holds: {text, label, url}
    let active = -1; // of them, the one that Enter takes; -1: what was typed
    let asking = null; // AbortController of the request under way
    let timer = 0;
    let composing = false;
    let ended = -Infinity; // when an IME ended last

    list.id = input.id + "-suggestions";
    list.className = "suggestions plain";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "检索建议");
    told.className = "unseen";
    told.setAttribute("aria-live", "polite");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("autocomplete", "off");
    form.append(list, told);

    function close() {
      clearTimeout(timer);
      if (asking) asking.abort();
      asking = null;
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      mark(-1);
    }

    function mark(number) {
      active = number;
      Array.from(list.children).forEach(function (line, place) {
        line.setAttribute("aria-selected", String(place === number));
      });
      if (number < 0) {
        input.removeAttribute("aria-activedescendant");
      } else {
        input.setAttribute("aria-activedescendant", list.children[number].id);
        list.children[number].scrollIntoView({ block: "nearest" });
      }
    }

    function line(option, place) {
      const item = document.createElement("li");
      const text = document.createElement("span");
      const label = document.createElement("span");
      item.id = list.id + "-" + place;
      item.setAttribute("role", "option");
      text.textContent = option.text;
      label.textContent = option.label;
      label.className = "meta";
      item.append(text, " ", label);
      item.addEventListener("click", function (event) {
        if (event.ctrlKey || event.metaKey) window.open(option.url);
        else go(option);
      });
      return item;
    }

    function show(found) {
      options = found;
      list.textContent = "";
      list.append.apply(list, found.map(line));
      mark(-1);
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      told.textContent = found.length ? found.length + " 条建议，按上下键选择" : "没有建议";
    }

    function go(option) {
      close();
      location.assign(option.url);
    }

    function ask() {
      clearTimeout(timer);
      if (asking) asking.abort();
      const typed = input.value.trim();
      if (!typed || composing) return close();
      const mine = (asking = new AbortController());
      fetch(ADDRESS + "?q=" + encodeURIComponent(typed), { signal: mine.signal })
        .then(function (response) {
          return response.ok ? response.json() : { suggestions: [] };
        })
        .then(function (answer) {
          if (asking === mine && document.activeElement === input) show(answer.suggestions);
        })
        .catch(function () {}); // given up, or the server is away: nothing is suggested
    }

    function askSoon() {
      clearTimeout(timer);
      if (!composing) timer = setTimeout(ask, PAUSE_MS);
    }

    function move(step) {
      if (list.hidden) {
        if (options.length && input.value.trim()) show(options);
        else return ask();
      }
      const places = options.length + 1; // one more for what was typed
      mark(((active + 1 + step + places) % places) - 1);
    }

    input.addEventListener("input", function () {
      options = [];
      askSoon();
    });
    input.addEventListener("compositionstart", function () {
      composing = true;
      close();
    });
    input.addEventListener("compositionend", function (event) {
      composing = false;
      ended = event.timeStamp;
      askSoon();
    });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        if (event.timeStamp - ended < CONFIRM_MS) {
          event.preventDefault();
        } else if (!list.hidden && active >= 0) {
          event.preventDefault();
          go(options[active]);
        } else {
          close();
        }
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault(); // else Chromium empties the box
        event.stopPropagation();
        close();
      } else if (event.key === "Tab") {
        close();
      }
    });
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", function (event) {
      event.preventDefault(); // the box keeps the focus, so the list stays for the click
    });
    form.addEventListener("submit", function (event) {
      if (composing) event.preventDefault();
      else close();
    });
    window.addEventListener("pagehide", close);
  }

  /* What keys do. Each takes what it needs from the page and says whether there was anything to do. */

  function all(selector) {
    return Array.from(document.querySelectorAll(selector));
  }

  function toBox() {
    const input = document.querySelector("form.search input[type=search][name=q]");
    if (input) input.select();
    if (input) input.focus();
    return Boolean(input);
  }

  function chosenHit() {
    return document.activeElement.closest(".hits > li");
  }

  function toHit(step) {
    const hits = all(".hits > li");
    const next = hits[hits.indexOf(chosenHit()) + step];
    if (next) next.querySelector("h2 a").focus();
    return Boolean(next);
  }

  function openHit() {
    const hit = chosenHit();
    if (hit) window.open(hit.querySelector("h2 a").href, "_blank", "noopener");
    return Boolean(hit);
  }

  function follow(rel) {
    const link = document.querySelector(".crumbs a[rel=" + rel + "], .paging a[rel=" + rel + "]");
    if (link) location.assign(link.href);
    return Boolean(link);
  }

  /* From the mark that the address names, else from the place that it names, else from the top. */
  function toMark(step) {
    const marks = all(".reading mark[id]");
    const target = document.querySelector(":target");
    const at = marks.indexOf(target);
    const behind = marks.findIndex(function (mark) {
      return !target || target.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING;
    });
    const first = behind < 0 ? marks.length : behind;
    const next = marks[at >= 0 ? at + step : step > 0 ? first : first - 1];
    if (next) location.replace("#" + next.id); // Back still leads to the results
    return Boolean(next);
  }

  const KEYS = [
    ["/", "到检索框；在输入框里也可以按 Ctrl+K", toBox],
    ["j", "下一条结果，按 Enter 打开", toHit.bind(null, 1)],
    ["k", "上一条结果", toHit.bind(null, -1)],
    ["o", "在新标签页打开选中的结果", openHit],
    ["[", "上一篇（版面页是上一版，结果页是上一页）", follow.bind(null, "prev")],
    ["]", "下一篇（版面页是下一版，结果页是下一页）", follow.bind(null, "next")],
    ["n", "文章里下一处命中", toMark.bind(null, 1)],
    ["p", "文章里上一处命中", toMark.bind(null, -1)],
    ["?", "快捷键说明；按 Esc 关闭", showHelp],
  ];

  function showHelp() {
    let dialog = document.querySelector("dialog.keys");
    if (!dialog) dialog = document.body.appendChild(helpDialog());
    if (dialog.showModal) dialog.showModal();
    else location.assign(HELP);
    return true;
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function helpDialog() {
    const dialog = document.createElement("dialog");
    const heading = element("h2", "快捷键");
    const lines = document.createElement("dl");
    const link = element("a", "全部说明");
    const button = element("button", "关闭");
    const foot = document.createElement("p");
    dialog.className = "keys";
    heading.id = "keys-heading";
    dialog.setAttribute("aria-labelledby", heading.id);
    KEYS.forEach(function (key) {
      lines.append(element("dt", key[0]), element("dd", key[1]));
    });
    link.href = HELP;
    button.addEventListener("click", function () {
      dialog.close();
    });
    foot.append(button, " ", link);
    dialog.append(heading, lines, foot);
    return dialog;
  }

  /* Single keys never while something is typed or an IME composes; none where they are switched off. */
  function onKey(event) {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || event.altKey) return;
    if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
    const held = event.ctrlKey || event.metaKey;
    const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
    const known = KEYS.find(function (key) {
      return key[0] === event.key;
    });
    if (held ? event.key.toLowerCase() === "k" && !event.shiftKey && toBox() : known && !typing && known[2]()) {
      event.preventDefault();
    }
  }

  const boxes = Array.from(document.querySelectorAll("form.search input[type=search][name=q]"));
  boxes.forEach(function (input) {
    suggestUnder(input.form, input);
  });
  document.addEventListener("keydown", onKey);
})();
