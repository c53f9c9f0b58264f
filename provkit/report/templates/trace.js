// The outputs of a trace, fifty at a time; data goes into the page as text alone.
"use strict";
(() => {
  const FIRST = 2000; // characters of an output before "show all"
  const { size, tints, outputs } = JSON.parse(document.getElementById("outputs").textContent);
  const at = (id) => document.getElementById(id);
  const form = at("controls"), list = at("list"), panel = at("documents");
  const blocks = new Map(), lowered = new Map();
  let shown = outputs.map((_, number) => number), page = 0, opened = null;

  // An element with attributes and children; a string becomes a text node, null nothing.
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) if (value != null) element.setAttribute(key, value);
    element.append(...children.filter((child) => child != null));
    return element;
  };
  const whole = (value) => value.toLocaleString("en");
  const short = (value) => (value == null ? "not known" : String(Number(value.toPrecision(4))));
  const plural = (number, one) => `${whole(number)} ${one}${number === 1 ? "" : "s"}`;

  const fewer = () => at("score").value === "count";
  const score = (span) => span[at("score").value];
  const level = (value) => {
    if (value == null) return 0;
    return tints[at("score").value].bounds.filter((bound) => (fewer() ? value <= bound : value >= bound)).length;
  };
  const wanted = (span) => {
    const policy = at("policy").value, least = at("least").valueAsNumber, value = score(span);
    if (policy && !(span.policies ?? []).includes(policy)) return false;
    return Number.isNaN(least) || (value != null && (fewer() ? value <= least : value >= least));
  };
  const textOf = (number) => {
    if (!lowered.has(number)) {
      const output = outputs[number];
      lowered.set(number, `${output.id}\n${output.parts.map((part) => part[0]).join("")}`.toLowerCase());
    }
    return lowered.get(number);
  };
  const documentsOf = (number, span) => {
    const block = Math.floor(number / size);
    if (!blocks.has(block)) blocks.set(block, JSON.parse(at(`documents-${block}`).textContent));
    return blocks.get(block)[number % size][span];
  };

  const choose = () => {
    const text = at("text").value.toLowerCase(), order = at("sort").value;
    const narrowed = at("policy").value || !Number.isNaN(at("least").valueAsNumber) || at("spans-only").checked;
    shown = outputs.map((_, number) => number).filter((number) => {
      if (narrowed && !outputs[number].spans.some(wanted)) return false;
      return !text || textOf(number).includes(text);
    });
    const best = (output) => Math.max(-Infinity, ...output.spans.filter(wanted).map(score).filter((one) => one != null)
      .map((one) => (fewer() ? -one : one)));
    const keys = {
      score: best,
      covered: (output) => (output.tokens ? output.covered / output.tokens : 0),
      spans: (output) => output.spans.length,
    };
    if (keys[order]) {
      const values = new Map(shown.map((number) => [number, keys[order](outputs[number])]));
      shown.sort((one, other) => {
        const left = values.get(one), right = values.get(other);
        return left === right ? one - other : left < right ? 1 : -1;
      });
    }
    page = 0;
    draw();
  };

  const draw = () => {
    close(false);
    const first = page * size, some = shown.slice(first, first + size);
    list.replaceChildren(...some.map(drawOutput));
    const last = first + some.length;
    const all = plural(outputs.length, "output");
    const of = shown.length === outputs.length ? all : `${whole(shown.length)} (of ${all})`;
    at("showing").textContent = `${whole(some.length ? first + 1 : 0)} to ${whole(last)} of ${of}`;
    at("previous").disabled = page === 0;
    at("next").disabled = last >= shown.length;
    drawLegend();
  };

  const drawLegend = () => {
    const { label, bounds } = tints[at("score").value];
    const sign = fewer() ? "≤" : "≥";
    const keys = ["other", ...bounds.map((bound) => `${sign} ${whole(bound)}`)];
    at("legend").replaceChildren(`${label}: `,
      ...keys.map((key, number) => make("span", { class: `span key t${number}` }, key)));
    at("least-label").textContent = fewer() ? "at most" : "at least";
  };

  const drawOutput = (number) => {
    const output = outputs[number];
    const said = `${output.place} · ${whole(output.covered)} of ${plural(output.tokens, "token")} in ` +
      plural(output.spans.length, "span");
    const text = make("div", { class: "text", dir: "auto" });
    const article = make("article", { class: "output", "aria-labelledby": `output-${number}` },
      make("h2", { id: `output-${number}` }, output.id, " ", make("small", { class: "soft" }, said)), text);
    let left = FIRST, rest = 0;
    for (; rest < output.parts.length && left > 0; rest += 1) {
      const [part, span] = output.parts[rest];
      if (span < 0 && part.length > left) break; // untinted: cut below
      text.append(drawPart(number, part, span));
      left -= part.length;
    }
    if (rest < output.parts.length) {
      const [part, span] = output.parts[rest];
      const head = left > 0 && span < 0 ? part.slice(0, left) : "";
      if (head) text.append(head);
      const button = make("button", { type: "button" }, `Show all of ${whole(output.shown)} characters`);
      button.addEventListener("click", () => {
        button.remove();
        if (head) text.lastChild.remove();
        text.append(...output.parts.slice(rest).map(([part, span]) => drawPart(number, part, span)));
        rove(text);
      });
      article.append(button);
    }
    if (output.shown < output.characters) {
      const beyond = output.spans.filter((span) => span.end > output.shown).length;
      article.append(make("p", { class: "soft" }, `The first ${whole(output.shown)} of ${whole(output.characters)} ` +
        `characters are in this page; ${plural(beyond, "span")} reach further.`));
    }
    rove(text);
    return article;
  };

  const drawPart = (number, part, span) => {
    if (span < 0) return document.createTextNode(part);
    const one = outputs[number].spans[span];
    const tint = wanted(one) ? `t${level(score(one))}` : "out";
    return make("span", { class: `span ${tint}`, role: "button", tabindex: "-1", "aria-expanded": "false",
      "aria-controls": "documents", "aria-description": `${tints[at("score").value].label} ${short(score(one))}`,
      "data-output": number, "data-span": span }, part);
  };

  // One stop of the Tab key for each output; arrow keys go on from there.
  const rove = (text) => {
    if (!text.querySelector(".span[tabindex='0']")) text.querySelector(".span")?.setAttribute("tabindex", "0");
  };
  const focus = (element) => {
    for (const other of element.parentNode.querySelectorAll(".span[tabindex='0']")) {
      other.setAttribute("tabindex", "-1");
    }
    element.setAttribute("tabindex", "0");
    element.focus();
  };
  const step = (element, by) => {
    const all = [...list.querySelectorAll(".span")], place = all.indexOf(element);
    const next = by === "first" ? 0 : by === "last" ? all.length - 1 : place + by;
    if (all[next]) focus(all[next]);
  };
  const stepOutput = (element, by) => {
    const texts = [...list.querySelectorAll(".text")].filter((text) => text.querySelector(".span"));
    texts[texts.indexOf(element.closest(".text")) + by]?.querySelectorAll(".span").forEach((span, number) => {
      if (number === 0) focus(span);
    });
  };

  const open = (number, span, element) => {
    close(false);
    opened = { element };
    for (const part of list.querySelectorAll(`.span[data-output="${number}"][data-span="${span}"]`)) {
      part.setAttribute("aria-expanded", "true");
    }
    panel.replaceChildren(...drawPanel(number, span));
    panel.hidden = false;
    panel.parentNode.classList.add("open");
    panel.scrollTop = 0;
    at("documents-title").focus();
  };
  const close = (back) => {
    if (!opened) return;
    for (const part of list.querySelectorAll(".span[aria-expanded=true]")) part.setAttribute("aria-expanded", "false");
    panel.hidden = true;
    panel.parentNode.classList.remove("open");
    panel.replaceChildren();
    const { element } = opened;
    opened = null;
    if (back && element?.isConnected) focus(element);
  };

  const line = (name, ...value) => make("div", null, make("dt", null, name), make("dd", null, ...value));

  const drawPanel = (number, which) => {
    const output = outputs[number], span = output.spans[which], found = documentsOf(number, which);
    const shut = make("button", { type: "button" }, "Close");
    shut.addEventListener("click", () => close(true));
    const others = output.spans.map((one, other) => [one, other])
      .filter(([one, other]) => other !== which && one.start < span.end && span.start < one.end);
    const percentile = span.percentile == null ? "not known"
      : `${short(span.percentile)}${span.beyond ? ", by density: it is longer than the background" : ""}`;
    return [
      shut,
      make("h2", { id: "documents-title", tabindex: "-1" }, `Span ${whole(which)} of `, output.id),
      make("p", { class: "context", dir: "auto" }, make("mark", null, span.text)),
      make("dl", { class: "way" },
        line("length", plural(span.tokens, "token")),
        line("in the corpus", plural(span.count, "time")),
        line("BCI", `${short(span.bci)}, ${short(span.density)} a token`),
        line("BCI percentile", percentile),
        ...(span.own ? [
          line("its own sentences", "against ", make("b", null, span.own.policy),
            `, belief conflict ${short(span.own.conflict)}`),
          line("nearest statement", span.own.nearest),
        ] : [])),
      others.length ? make("p", null, "Overlaps: ", ...others.map(([one, other]) => {
        const button = make("button", { type: "button" }, `span ${whole(other)}, ${plural(one.tokens, "token")}`);
        button.addEventListener("click", () => open(number, other, opened?.element));
        return button;
      })) : null,
      found.length ? make("ol", null, ...found.map(drawDocument))
        : make("p", null, span.selected ? "No document of it is in this page." : "Its documents were not looked up."),
    ].filter((one) => one != null);
  };

  const drawDocument = (one) => {
    const who = [one.role, one.message == null ? null : `message ${one.message}`].filter((part) => part != null);
    const steps = (one.steps ?? []).flatMap(([step, note], number) =>
      [number ? ", then " : null, make("b", null, step), note ? `: ${note}` : null]);
    const policy = one.policy == null ? null : [
      line("policy", one.policy, one.category ? ` (${one.category})` : null),
      line("belief conflict", short(one.conflict)),
      line("nearest statement", one.nearest ?? ""),
    ];
    return make("li", { class: "document" },
      make("h3", null, one.id),
      make("p", { class: "context", dir: "auto" }, one.left ?? "", make("mark", null, one.match), one.right ?? ""),
      make("dl", { class: "way" }, ...[
        line("rank", `${one.rank}; evidence ${short(one.evidence)}, BM25 ${short(one.bm25)}`),
        ...(policy ?? []),
        one.row ? line("row", one.row, one.row_id ? `, ${one.row_id}` : null) : null,
        who.length ? line("turn", who.join(", ")) : null,
        steps.length ? line("made by", ...steps) : one.op ? line("made by", one.op) : null,
        one.source ? line("source", one.source, one.more ? ` and ${one.more} more` : null) : null,
        one.columns && one.columns !== "{}" ? line("columns", one.columns) : null,
        one.command ? line("whole way", make("code", null, one.command)) : null,
      ].filter((part) => part != null)));
  };

  list.addEventListener("click", (event) => {
    const element = event.target.closest(".span");
    if (!element || String(document.getSelection()) !== "") return; // a text that is being selected is not opened
    open(+element.dataset.output, +element.dataset.span, element);
  });
  list.addEventListener("keydown", (event) => {
    const element = event.target.closest(".span");
    if (!element || event.ctrlKey || event.altKey || event.metaKey) return;
    const doing = {
      Enter: () => open(+element.dataset.output, +element.dataset.span, element),
      " ": () => open(+element.dataset.output, +element.dataset.span, element),
      ArrowRight: () => step(element, 1),
      ArrowLeft: () => step(element, -1),
      ArrowDown: () => stepOutput(element, 1),
      ArrowUp: () => stepOutput(element, -1),
      Home: () => step(element, "first"),
      End: () => step(element, "last"),
    }[event.key];
    if (!doing) return;
    event.preventDefault();
    doing();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && opened) close(true);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", choose);
  at("clear").addEventListener("click", () => {
    form.reset();
    choose();
  });
  const turn = (by) => {
    page += by;
    draw();
    at("showing").scrollIntoView({ block: "nearest" });
  };
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  choose();
})();
