/*
 * live.js - profiles taken from the running process that serves this page: a
 * capture with a count-down, the ones that are kept, two of them compared.
 */
"use strict";

/* What each kind shows, in a few words; others say it themselves. */
const KINDS = {
  profile: ["CPU", "where processor time goes"],
  wall: ["Wall clock", "where all threads are, running or waiting"],
  heap: ["Heap", "memory in use, by who allocated it"],
  allocs: ["Allocations", "all memory ever allocated"],
  mutex: ["Mutex", "who makes others wait for locks"],
  block: ["Blocking", "where threads wait for each other"],
  threads: ["Threads", "where every thread is now"],
  threadcreate: ["Thread creation", "who starts threads"],
};
const kindLabel = (name) => (KINDS[name] ? KINDS[name][0] : name);

/* The capture under way, which outlives a look at another view. */
let taking = null;
let lastKinds = null;

async function post(path, body) {
  return ask(place(path), { method: "POST", body: new URLSearchParams(body) });
}

/* ---- taking one ---------------------------------------------------------- */

async function take(kind, seconds) {
  const controller = new AbortController();
  taking = { kind, seconds, began: performance.now(), controller };
  showCountdown();
  const timer = setInterval(showCountdown, 200);
  try {
    const body = new URLSearchParams({ kind: kind.name });
    if (seconds)
      body.set("seconds", String(seconds));
    const kept = await ask(place("take"), { method: "POST", body, signal: controller.signal });
    taking = null;
    go({ v: "flame", p: String(kept.id), base: null, at: null, si: null, search: null, f: null, invert: null });
  } catch (e) {
    taking = null;
    if (currentView() === "live")
      await render();
    note(e.name === "AbortError" ? "Cancelled: the process stopped measuring." : e.message, e.name !== "AbortError");
  } finally {
    clearInterval(timer);
  }
}

function showCountdown() {
  const box = $("#countdown");
  if (!box || !taking)
    return;
  const gone = (performance.now() - taking.began) / 1000;
  const left = Math.ceil(taking.seconds - gone);
  const text = left > 0 ? `${kindLabel(taking.kind.name)}: ${left} s to go` : `${kindLabel(taking.kind.name)}: names are looked up \u2026`;
  if (!box.firstChild)
    box.append(el("span", { id: "left" }), el("progress", { max: "1" }),
      el("div", null, el("button", { type: "button", id: "cancel", onclick: () => taking && taking.controller.abort() }, "Cancel")));
  $("#left").textContent = text;
  if (taking.seconds)
    box.querySelector("progress").value = Math.min(1, gone / taking.seconds);
}

/* Which kinds can be given a number of seconds, and what it then means. */
function secondsHint(kind) {
  if (kind.timed)
    return "for so long";
  return kind.delta ? "empty: since the start; a number: what happens in so many seconds" : "at this moment";
}

function takeForm(a) {
  const kinds = a.kinds.filter((k) => k.name !== "goroutine");
  const select = el("select", { id: "kind" }, ...kinds.map((k) => el("option", { value: k.name }, kindLabel(k.name))));
  const seconds = el("input", { type: "number", id: "seconds", min: "0", max: String(a.max_seconds), value: "10" });
  const hint = el("p.hint");
  const find = () => kinds.find((k) => k.name === select.value);
  /* Who links here may choose: ?v=live&kind=heap, &seconds=5. */
  if (kinds.some((k) => k.name === get("kind")))
    select.value = get("kind");
  if (Number(get("seconds")) > 0)
    seconds.value = get("seconds");
  const update = () => {
    const k = find();
    seconds.disabled = !k.timed && !k.delta;
    seconds.value = k.timed ? seconds.value || "10" : "";
    seconds.required = k.timed;
    seconds.min = k.timed ? "1" : "0";
    hint.textContent = `${(KINDS[k.name] || ["", k.description])[1]}; ${secondsHint(k)}`;
  };
  select.addEventListener("change", update);
  update();
  return el("form", { onsubmit: (e) => { e.preventDefault(); if (!taking) take(find(), Number(seconds.value) || 0); } },
    el("div.take", null, el("label", null, "Profile", select), el("label", null, "Seconds", seconds),
      el("button.primary", { type: "submit", id: "take", disabled: !!taking }, "Take it")), hint);
}

/* ---- those that are kept ------------------------------------------------- */

const keptLabel = (k) => `${kindLabel(k.kind)}${k.seconds ? ` over ${k.seconds} s` : ""}`;
const keptTime = (k) => new Date(k.time_ms).toLocaleTimeString();

function keptRow(k, a) {
  const now = a.kept.find((o) => String(o.id) === get("p"));
  const other = now && now.id !== k.id && now.kind === k.kind;
  const reset = { at: null, search: null, f: null };
  return el(String(k.id) === get("p") ? "tr.current" : "tr", { "data-id": k.id },
    el("td", null, keptLabel(k)), el("td", null, keptTime(k)), el("td.dim", null, formatValue(k.bytes, "bytes")),
    el("td", null, el("button", { type: "button", onclick: () => go({ ...reset, v: "flame", p: String(k.id), base: null, si: null }) }, "Show"), " ",
      other ? el("button.compare", { type: "button", title: "What has changed from this one to the one that is shown",
        onclick: () => go({ ...reset, v: "top", base: String(k.id), sort: null, up: null }) }, "Use as base") : null, " ",
      el("a.button", { href: place(`download?p=${k.id}`), download: `${k.kind}-${k.id}.pb.gz` }, "Download"), " ",
      el("button", { type: "button", title: "Keep it no longer", onclick: async () => { await post("forget", { p: k.id }); render(); } }, "Forget")));
}

function keptList(a) {
  if (!a.kept.length)
    return el("p.dim", null, "None yet. The first one that you take is shown at once; a second can be compared with it.");
  const now = a.kept.find((k) => String(k.id) === get("p"));
  return el("div", null, el("table.kept", null, el("tbody", { id: "kept" }, ...[...a.kept].reverse().map((k) => keptRow(k, a)))),
    el("p.hint", null, (now && a.kept.some((k) => k.kind === now.kind && k.id !== now.id)
      ? "\u201cUse as base\u201d compares with the one that is shown (bold). " : "") +
      `The process keeps the last ${a.kept_max}, in memory, for everybody who looks at this page.`));
}

async function showLive(main, signal) {
  const a = lastKinds = await ask(place("api/kinds"), { signal });
  document.title = `${location.host} \u2013 proflab`;
  $("#title").textContent = "Profiles of this process";
  $("#facts").textContent = location.host;
  main.replaceChildren(el("div.cards", null,
    el("section.card", null, el("h2", null, "Take a profile"), takeForm(a), el("div.count", { id: "countdown", role: "timer" })),
    el("section.card", null, el("h2", null, "Kept"), keptList(a))));
  showCountdown();
  return {};
}

/* ---- a profile that is off ----------------------------------------------- */

/* The rates that this page may turn on, for a profile that says it is off. */
function rateButton(x) {
  const body = { "mutex=1&block=1": { mutex: 1, block: 1000 }, "heap=4096": { heap: 524288 } };
  const key = Object.keys(body).find((k) => x.command.includes(k));
  if (!key || !/\boff\b/.test(x.why))
    return null;
  return el("p", null, el("button.primary", { type: "button", id: "turn-on",
    onclick: async () => {
      await ask(place("../rates"), { method: "POST", body: new URLSearchParams(body[key]) });
      go({ v: "live", p: null });
      note("It is on now. Let the program work, then take the profile again.");
    } }, "Turn it on"));
}
