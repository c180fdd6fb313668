/* Suggestions under the search boxes, and keys. Pages work without it. ES2019, for Chromium 83 and later. */
(function () {
  "use strict";

  const PAUSE_MS = 120; // after the last keystroke, before suggestions are asked for
  const CONFIRM_MS = 60; // an Enter so soon after an IME has ended belongs to the IME
  const ADDRESS = document.currentScript.dataset.suggest;

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

  /* "/" and Ctrl+K go to the search box: "/" never while something is typed, neither where keys are switched off. */
  function keys(input) {
    document.addEventListener("keydown", function (event) {
      if (event.isComposing || event.keyCode === 229 || event.altKey) return;
      if (document.documentElement.dataset.keys === "off") return;
      const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
      const held = event.ctrlKey || event.metaKey;
      if ((event.key === "/" && !held && !typing) || (event.key.toLowerCase() === "k" && held && !event.shiftKey)) {
        event.preventDefault();
        input.focus();
        input.select();
      }
    });
  }

  const boxes = Array.from(document.querySelectorAll("form.search input[name=q]"));
  boxes.forEach(function (input) {
    suggestUnder(input.form, input);
  });
  if (boxes.length) keys(boxes[0]);
})();
