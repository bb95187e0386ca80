/* main.js - from the address to what is seen; the frame around the views. */
"use strict";

const VIEWS = {
  flame: { label: "Flame graph", key: "f", show: showFlame },
  top: { label: "Top", key: "t", show: showTop },
  graph: { label: "Graph", key: "g", show: showGraph },
  peek: { label: "Peek", key: "p", show: showPeek },
  source: { label: "Source", key: "o", show: showSource },
  sandwich: { label: "Sandwich", key: "s", show: showSandwich },
};
if (live)
  VIEWS.live = { label: "Profiles", key: "l", show: showLive };

const currentView = () => (VIEWS[get("v")] ? get("v") : live && !get("p") ? "live" : "flame");

/* ---- theme --------------------------------------------------------------- */

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  try {
    return localStorage.getItem("theme");
  } catch (e) {
    return null; /* a browser that keeps nothing */
  }
}

function applyTheme() {
  const theme = chosenTheme() || (darkQuery.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  $("#theme").textContent = theme === "dark" ? "Light" : "Dark";
}

function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", next);
  } catch (e) {
    document.documentElement.dataset.theme = next;
    return;
  }
  applyTheme();
}

/* ---- the frame ----------------------------------------------------------- */

function showTabs() {
  const now = currentView();
  $("#tabs").replaceChildren(...Object.entries(VIEWS)
    .filter(([name]) => name !== "sandwich" || now === "sandwich")
    .filter(([name]) => name === "live" || !live || get("p"))
    .map(([name, v]) => el("button", { type: "button", id: "tab-" + name, title: `${v.label} (${v.key})`,
      "aria-current": name === now ? "page" : null, onclick: () => go({ v: name }) }, v.label)));
}

function chip(key, value) {
  return el("button.chip", { type: "button", title: "Take this filter away", "data-filter": key,
    onclick: () => go({ [key]: filterDefault(key) ? "" : null, at: null }) }, el("b", null, key), " ", value);
}

let meta = null;
const filterDefault = (key) => (meta && meta.defaults[key]) || "";
/* Absent, a filter is what the program was started with. */
const filterValue = (key) => (state.has(key) ? get(key) : filterDefault(key));

function showFilters() {
  const active = FILTERS.filter(filterValue);
  $("#chips").replaceChildren(...active.map((key) => chip(key, filterValue(key))));
  for (const key of FILTERS) {
    const input = document.getElementById("filter-" + key);
    if (document.activeElement !== input)
      input.value = filterValue(key);
  }
  $("#download").href = place("download") + (live ? `?p=${encodeURIComponent(get("p"))}` : "");
}

const FILTER_HINTS = {
  focus: "only stacks with this", ignore: "no stacks with this", hide: "leave these frames out",
  show: "only these frames", show_from: "stacks from this frame on",
  tagfocus: "only samples with this label", tagignore: "no samples with this label",
};

function buildFilters() {
  $("#fields").replaceChildren(...FILTERS.map((key) => el("label", null, `${key} \u2014 ${FILTER_HINTS[key]}`,
    el("input", { id: "filter-" + key, name: key, autocomplete: "off", spellcheck: "false" }))));
  $("#filters").addEventListener("submit", (e) => {
    const changes = { at: null };
    e.preventDefault();
    for (const key of FILTERS) {
      const value = document.getElementById("filter-" + key).value;
      changes[key] = value === filterDefault(key) ? null : value || (filterDefault(key) ? "" : null);
    }
    document.activeElement.blur();
    go(changes);
  });
  $("#filters-clear").addEventListener("click", () => {
    const changes = { at: null };
    for (const key of FILTERS)
      changes[key] = filterDefault(key) ? "" : null;
    go(changes);
  });
}

function showLabels() {
  const keys = new Map();
  for (const [key, value, sum] of meta.labels)
    if (!key.startsWith("pprof::"))
      keys.set(key, [...(keys.get(key) || []), [value, sum]]);
  const unit = meta.types[meta.value] ? meta.types[meta.value].unit : "";
  $("#labels").replaceChildren(...[...keys].map(([key, values]) => el("div.label-key", { "data-label": key },
    el("b", null, key), ...values.map(([value, sum]) => {
      const filter = `${key}=${exactly(value)}`;
      const on = filterValue("tagfocus") === filter;
      return el("button", { type: "button", "aria-pressed": String(on),
        onclick: () => go({ tagfocus: on ? (filterDefault("tagfocus") ? "" : null) : filter, at: null }) },
      value, el("span.dim", null, " " + formatValue(sum, unit)));
    }))));
  if (meta.labels_left_out)
    $("#labels").append(el("p.dim", null, `${meta.labels_left_out} more label values are left out.`));
}

const baseName = (path) => (path || "").replace(/.*\//, "");

function facts(p) {
  const parts = [];
  if (p.duration_ns)
    parts.push(`over ${formatValue(p.duration_ns, "ns")}`);
  if (p.time_ms)
    parts.push(new Date(p.time_ms).toISOString().replace("T", " ").slice(0, 19) + " UTC");
  parts.push(`${p.samples.toLocaleString("en")} different ${p.samples === 1 ? "stack" : "stacks"}`);
  return parts.join(", ");
}

function showMeta() {
  const p = meta.profile;
  const type = meta.types[meta.value];
  const title = `${baseName(p.binary) || baseName(p.name) || "profile"}${type ? " \u00b7 " + type.type : ""}`;
  document.title = title + (meta.base ? " (difference)" : "") + " \u2013 proflab";
  $("#title").textContent = title;
  $("#facts").textContent = `${baseName(p.name)}: ${facts(p)}` +
    (meta.base ? ` \u2014 against ${baseName(meta.base.name)}: ${facts(meta.base)}` : "");
  $("#facts").title = p.comments.join("\n");
  $("#value").replaceChildren(...meta.types.map((t, i) => el("option", { value: t.type, selected: i === meta.value },
    `${t.type} (${t.unit})`)));
  $("#granularity").value = get("g") || "functions";
}

function showLegend() {
  const legend = $("#legend");
  legend.hidden = !(meta && meta.base) || currentView() === "live";
  if (legend.hidden)
    return;
  const shades = ["d4", "d3", "d2", "d1", "same", "u1", "u2", "u3", "u4"];
  legend.replaceChildren(el("b", null, "Difference:"),
    el("span.scale", null, "gone", el("span", null, ...shades.map((s) => el("i." + s))), "new"),
    el("span", null, "orange = more than the base, blue = less; the darker, the larger a part of the function has changed. " +
      "A box is as wide as the larger of the two."));
}

/* ---- nothing to show ----------------------------------------------------- */

function showEmpty(main) {
  const x = meta.empty;
  main.replaceChildren(el("div.empty", { id: "empty" }, el("h2", null, "This profile is empty"),
    el("p", null, x.why), el("p", null, x.todo),
    x.command ? el("pre.command", null, live ? x.command.replace("HOST:PORT", location.host) : x.command) : null,
    live ? rateButton(x) : null,
    meta.profile.comments.length ? el("p.dim", null, "The profile says: " + meta.profile.comments.join("; ")) : null));
}

function showNothingLeft(main) {
  main.append(el("div.empty", { id: "nothing-left" }, el("h2", null, "The filters leave nothing"),
    el("p", null, "No sample passes all of them: " + FILTERS.filter(filterValue).map((k) => `${k}=${filterValue(k)}`).join(", ")),
    el("p", null, el("button", { type: "button", onclick: () => $("#filters-clear").click() }, "Clear all filters"))));
}

/* ---- rendering ----------------------------------------------------------- */

let running = null;

async function loadMeta(signal) {
  meta = await view("meta", null, signal);
  showMeta();
  showLegend();
  showLabels();
}

/* After: what an answer says beside its figures. */
function finish(main, a) {
  for (const line of (a.warnings || "").split("\n").filter(Boolean))
    note(line);
  if (FILTERS.some(filterValue) && (a.rows ? !a.rows.length : a.node && a.node.length === 1 && !a.total && !a.total_before))
    showNothingLeft(main);
}

async function render() {
  const main = $("#view");
  document.body.dataset.view = currentView();
  if (running)
    running.abort();
  const own = running = new AbortController();
  const signal = own.signal;
  hideTip();
  showTabs();
  $("#notes").replaceChildren();
  main.classList.add("busy");
  document.body.dataset.ready = "no";
  try {
    if (currentView() === "live") {
      showLegend();
      await showLive(main, signal);
    } else {
      await loadMeta(signal);
      showFilters();
      if (meta.empty && !meta.base)
        showEmpty(main);
      else
        finish(main, await VIEWS[currentView()].show(main, signal));
    }
  } catch (e) {
    if (signal.aborted)
      return;
    if (!(e instanceof Refusal))
      console.error(e);
    note(e.message, true);
  }
  if (running !== own)
    return;
  main.classList.remove("busy");
  document.body.dataset.ready = currentView();
}

/* ---- keys ---------------------------------------------------------------- */

const KEYS = [
  ["f  t  g  p  o", "flame graph, top, graph, peek, source"], ["/", "search"], ["arrows, Enter", "walk through the flame graph, zoom in"],
  ["Esc", "out of the zoom, then out of the search"], ["i", "invert: leaves at the top"], ["s", "sandwich: callers and callees of the chosen function"],
  ["x", "filters"], ["c", "copy the name of the chosen function"], ["d", "dark or light"], ["?", "this list"],
];

function openHelp() {
  const help = $("#help");
  help.replaceChildren(el("h2", null, "Keys"), el("dl", null, ...(live ? [...KEYS, ["l", "profiles: take one, compare two"]] : KEYS)
    .flatMap(([k, text]) => [el("dt", null, ...k.split(/ {2}/).map((x) => el("kbd", null, x))), el("dd", null, text)])),
  el("p.dim", null, "The address holds all that is chosen here: copy it to share the view."),
  el("form", { method: "dialog" }, el("button", { type: "submit" }, "Close")));
  help.showModal();
}

function escape() {
  if (document.activeElement && document.activeElement.matches("input")) {
    document.activeElement.blur();
    return;
  }
  if (get("at"))
    go({ at: null });
  else if (get("search"))
    go({ search: null }, true);
}

function copyName() {
  if (flameFocus && flameFocus.frame >= 0 && navigator.clipboard)
    navigator.clipboard.writeText(flameFocus.name).then(() => note(`Copied: ${flameFocus.name}`), () => note("The browser does not allow copying."));
}

function toggleFilters() {
  const form = $("#filters");
  form.hidden = !form.hidden;
  $("#filters-open").setAttribute("aria-expanded", String(!form.hidden));
  if (!form.hidden)
    $("#filter-focus").focus();
}

const KEY_ACTIONS = {
  "?": openHelp, "Escape": escape, "d": toggleTheme, "x": toggleFilters, "c": copyName, "s": toSandwich,
  "i": () => currentView() === "flame" && go({ invert: get("invert") === "1" ? null : "1", at: null }),
  "/": () => { const f = $("#search") || $("#top-search") || $("#function"); if (f) f.focus(); },
};
for (const [name, v] of Object.entries(VIEWS))
  if (!KEY_ACTIONS[v.key])
    KEY_ACTIONS[v.key] = () => go({ v: name });

addEventListener("keydown", (e) => {
  const typing = e.target.matches("input, select, textarea");
  if (e.ctrlKey || e.metaKey || e.altKey || $("#help").open || (typing && e.key !== "Escape"))
    return;
  const act = KEY_ACTIONS[e.key];
  if (!act)
    return;
  e.preventDefault();
  act();
});

/* ---- start --------------------------------------------------------------- */

let lastWidth = innerWidth;
addEventListener("resize", () => {
  /* A phone's address bar changes the height all the time. */
  if (innerWidth !== lastWidth && ["flame", "sandwich"].includes(currentView()))
    render();
  lastWidth = innerWidth;
});
darkQuery.addEventListener("change", applyTheme);
$("#theme").addEventListener("click", toggleTheme);
$("#help-open").addEventListener("click", openHelp);
$("#filters-open").addEventListener("click", toggleFilters);
$("#value").addEventListener("change", (e) => go({ si: e.target.value, at: null }));
$("#granularity").addEventListener("change", (e) => go({ g: e.target.value === "functions" ? null : e.target.value, at: null }));
applyTheme();
buildFilters();
render();
