/*
 * dashboard.js - the page: it asks /metrics again and again, gives the figures
 * to the charts, says when nobody answers, and takes profiles.
 */
"use strict";

const state = new URLSearchParams(location.hash.slice(1));
const interval = () => Number(state.get("every")) || 2;
const span = () => Number(state.get("last")) || 300;

/* Choices are part of the address, so that they can be sent to somebody. */
function keep(key, value, fallback) {
  if (value === fallback)
    state.delete(key);
  else
    state.set(key, value);
  const text = state.toString();
  history.replaceState(null, "", location.pathname + location.search + (text ? "#" + text : ""));
}

/* ---- charts -------------------------------------------------------------- */

let zoomed = null; /* [from, to] where somebody looks closer */

const charts = CHARTS.map((row) => new Chart(row, setThreshold, hover));
for (const chart of charts) {
  if (state.has(chart.row.id) && !chart.setThreshold(state.get(chart.row.id)))
    chart.setThreshold(chart.row.threshold);
  $("#charts").append(chart.figure);
}
for (const chart of charts) {
  chart.start();
  chart.graph.updateOptions({ zoomCallback: (from, to) => zoom(from, to) });
}

function setThreshold(chart, text) {
  if (!chart.setThreshold(text))
    return;
  keep(chart.row.id, text.trim(), chart.row.threshold);
  redraw();
}

function zoom(from, to) {
  const points = charts[0].points;
  const all = !points.length || (from <= points[0][0] && to >= points[points.length - 1][0]);
  zoomed = all ? null : [from, to];
  redraw();
}

/* What the pointer is at, in all charts; null: the latest. */
function hover(row) {
  for (const chart of charts) {
    if (!chart.points.length)
      continue;
    const at = row === null ? chart.points.length - 1 : Math.min(row, chart.points.length - 1);
    chart.show(at);
    if (row === null)
      chart.graph.clearSelection();
    else
      chart.graph.setSelection(at);
  }
  $("#charts").classList.toggle("hovered", row !== null);
}

/* As much as there is, up to what is wanted, and half a minute at least. */
function period() {
  const now = last ? last.at : Date.now(), points = charts[0].points;
  const first = points.length ? points[0][0] : now;
  return [Math.min(Math.max(first, now - span() * 1000), now - 30000), now];
}

function redraw() {
  const [from, to] = zoomed || period();
  for (const chart of charts)
    chart.draw(from, to);
}

/* ---- what is not drawn --------------------------------------------------- */

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const i = parts.findIndex(([n]) => seconds >= n);
  if (i < 0)
    return "0 s";
  const big = Math.floor(seconds / parts[i][0]), rest = Math.floor(seconds % parts[i][0] / (parts[i + 1] || [1])[0]);
  return `${big} ${parts[i][1]}` + (parts[i + 1] && rest ? ` ${rest} ${parts[i + 1][1]}` : "");
}

const TOTALS = [
  ["requests", "Requests", (s) => s.all.requests, "count"],
  ["failed", "Failed", (s) => s.all.errors, "count"],
  ["allocated", "Allocated ever", (s) => s.values.pprof_heap_alloc_bytes_total, "bytes"],
  ["cache", "Cache entries", (s) => s.values.proflab_cache_entries, "count"],
  ["data", "Data entries", (s) => s.values.proflab_data_entries, "count"],
  ["captures", "Profiles taken", (s) => s.values.pprof_captures_total, "count"],
  ["lost", "Samples lost", (s) => s.values.pprof_lost_samples_total, "count"],
  ["profiler", "Profiler's share of CPU", (s) => s.values.pprof_cpu_seconds_total / s.values.process_cpu_seconds_total, "share"],
];

function showTotals(s) {
  $("#variant").textContent = s.info.variant || "";
  const up = s.at / 1000 - s.values.process_start_time_seconds;
  $("#facts").textContent = `${location.host} \u00b7 version ${s.info.version} \u00b7 up ${duration(Math.max(0, up))}`;
  $("#totals").replaceChildren(...TOTALS.map(([id, label, value, unit]) => {
    const v = value(s);
    return el("div", null, el("span", null, label),
      el("b", { id: `total-${id}`, "data-value": String(v), title: unit === "count" ? String(v) : null }, format(unit, v)));
  }));
}

/* One note of a kind at a time; text null takes it away. */
function note(id, text, isError) {
  const old = document.getElementById(id);
  if (text === null) {
    if (old)
      old.remove();
    return;
  }
  const p = el(isError ? "p.error" : "p", { id }, text);
  if (old)
    old.replaceWith(p);
  else
    $("#notes").append(p);
}

/* ---- asking -------------------------------------------------------------- */

/* Not relative to the page's address, which may hold a password. */
const place = (path) => location.origin + path;

let last = null, goneSince = null, paused = false, timer = null;
const TIMEOUT_MS = 5000;

async function scrape() {
  let reply;
  try {
    reply = await fetch(place("/metrics"), { signal: AbortSignal.timeout(TIMEOUT_MS), cache: "no-store" });
  } catch (e) {
    throw new Error(e.name === "TimeoutError" ? `no answer within ${TIMEOUT_MS / 1000} s` : "no connection");
  }
  if (!reply.ok)
    throw new Error(`/metrics is a ${reply.status}`);
  return readScrape(await reply.text(), Date.now());
}

function took(s) {
  const restarted = last && isRestart(last, s);
  const figures = figuresOf(last, s);
  /* A line must not be drawn across what nobody saw. */
  if (goneSince !== null || restarted)
    for (const chart of charts)
      chart.add(s.at - 1, null);
  if (restarted)
    note("restarted", `The server was started anew at ${clock(s.values.process_start_time_seconds * 1000)}.`);
  goneSince = null;
  note("gone", null);
  document.body.classList.remove("gone");
  for (const chart of charts)
    chart.add(s.at, figures);
  last = s;
  showTotals(s);
  redraw();
}

function missed(e) {
  if (goneSince === null)
    goneSince = Date.now();
  document.body.classList.add("gone");
  note("gone", `The server does not answer: ${e.message}, since ${clock(goneSince)}. It is asked again every ${interval()} s; ` +
    (last ? `what is shown is of ${clock(last.at)}.` : "there is nothing to show yet."), true);
}

async function tick() {
  const began = performance.now();
  try {
    const s = await scrape();
    if (!paused)
      took(s);
  } catch (e) {
    if (!paused)
      missed(e);
  }
  if (!paused)
    timer = setTimeout(tick, Math.max(100, interval() * 1000 - (performance.now() - began)));
}

function pause(on) {
  paused = on;
  clearTimeout(timer);
  $("#pause").setAttribute("aria-pressed", String(on));
  $("#pause").textContent = on ? "Go on" : "Pause";
  note("paused", on ? "Paused: what is shown stays as it is." : null);
  if (!on)
    tick();
}

/* ---- profiles ------------------------------------------------------------ */

/* Where they are: "" is this server; a socket cannot be opened from here. */
const pprof = document.body.dataset.pprof;
const pprofBase = pprof || "/debug/pprof/";

async function takeProfile(kind, seconds) {
  const body = new URLSearchParams({ kind });
  if (seconds)
    body.set("seconds", String(seconds));
  const reply = await fetch(place("/debug/pprof/ui/take"), { method: "POST", body });
  const text = await reply.text();
  if (reply.status === 401)
    throw new Error("a token is required. Open \u201cAll profiles\u201d, give it there as the password, and come back.");
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch (e) {
    /* said below */
  }
  if (!reply.ok || answer.error !== undefined || answer.id === undefined)
    throw new Error(answer.error || `${reply.status}: ${text.trim().slice(0, 200)}`);
  return `/debug/pprof/ui/?v=flame&p=${encodeURIComponent(answer.id)}`;
}

function countDown(seconds) {
  const button = $("#take-button"), end = performance.now() + seconds * 1000;
  const step = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    button.textContent = left > 0 ? `${left} s to go` : "Names are looked up \u2026";
  };
  step();
  button.disabled = true;
  const counting = setInterval(step, 200);
  return () => {
    clearInterval(counting);
    button.disabled = false;
    button.textContent = "Take a profile";
  };
}

async function onTake(event) {
  event.preventDefault();
  const timed = $("#kind").selectedOptions[0].dataset.seconds !== undefined;
  const kind = $("#kind").value, seconds = timed ? Number($("#seconds").value) : 0;
  if (pprof) {
    const query = new URLSearchParams({ v: "live", kind });
    if (timed)
      query.set("seconds", String(seconds));
    location.assign(`${pprof}ui/?${query}`);
    return;
  }
  const done = countDown(seconds);
  note("take-failed", null);
  try {
    location.assign(await takeProfile(kind, seconds));
  } catch (e) {
    note("take-failed", `The profile was not taken: ${e.message}`, true);
  }
  done();
}

function setUpProfiles() {
  const kind = $("#kind");
  const update = () => {
    $("#seconds-label").hidden = kind.selectedOptions[0].dataset.seconds === undefined;
    $("#seconds").disabled = $("#seconds-label").hidden;
  };
  kind.addEventListener("change", update);
  update();
  $("#take").addEventListener("submit", onTake);
  $("#all").href = pprofBase;
  if (!pprof.startsWith("unix:"))
    return;
  $("#take").replaceChildren(el("p", { id: "no-profiles" }, "Profiles are at ", el("code", null, pprof),
    ", which a browser cannot open: ", el("code", null, `curl --unix-socket ${pprof.slice(5)} http://x/debug/pprof/heap`), "."));
}

/* ---- controls ------------------------------------------------------------ */

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

/* Shared with the profile page, which is of the same origin. */
function chosenTheme() {
  try {
    return localStorage.getItem("theme");
  } catch (e) {
    return null; /* a browser that keeps nothing */
  }
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme || (darkQuery.matches ? "dark" : "light");
  $("#theme").textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark";
  redraw();
}

function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", next);
  } catch (e) {
    /* for this look alone */
  }
  applyTheme(next);
}

function setUpControls() {
  for (const [id, now, fallback] of [["interval", interval(), "2"], ["span", span(), "300"]]) {
    const key = id === "interval" ? "every" : "last";
    $("#" + id).value = [...$("#" + id).options].some((o) => o.value === String(now)) ? String(now) : fallback;
    $("#" + id).addEventListener("change", (e) => {
      keep(key, e.target.value, fallback);
      zoomed = null;
      redraw();
      if (!paused) {
        clearTimeout(timer);
        tick();
      }
    });
  }
  $("#pause").addEventListener("click", () => pause(!paused));
  $("#theme").addEventListener("click", toggleTheme);
  darkQuery.addEventListener("change", () => applyTheme(chosenTheme()));
  addEventListener("keydown", (e) => {
    if (e.target.closest("input, select, button, a") || e.ctrlKey || e.metaKey || e.altKey)
      return;
    if (e.key === " ") {
      e.preventDefault();
      pause(!paused);
    } else if (e.key === "d") {
      toggleTheme();
    }
  });
}

setUpProfiles();
setUpControls();
applyTheme(chosenTheme());
tick();
