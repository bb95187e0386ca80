/* flame.js - the flame graph, and the sandwich of callers and callees. */
"use strict";

const ROW = 20, NARROWEST = 0.8; /* pixels */

/* ---- what one box is ----------------------------------------------------- */

/* Columns of an answer (or of its path) as one thing per node. */
function flameNodes(a, t) {
  return t.node.map((id, i) => {
    const frame = t.frame[i];
    return {
      id, frame, depth: t.depth ? t.depth[i] : 0,
      name: frame < 0 ? "all" : a.names[frame] || "(no name)",
      function: frame < 0 ? "" : a.functions[frame], file: frame < 0 ? "" : a.files[frame],
      after: t.after[i], own: t.own[i],
      before: a.diff ? t.before[i] : 0, ownBefore: a.diff ? t.own_before[i] : 0,
      width: a.diff ? t.width[i] : t.after[i],
    };
  });
}

/* A name has one colour everywhere; what has no source file, none. */
function boxClass(a, n) {
  if (n.frame < 0)
    return "all";
  if (a.diff)
    return changeStep(n.after, n.before);
  if (!n.file)
    return "lib";
  let h = 7;
  for (let i = 0; i < n.file.length; i++)
    h = (h * 31 + n.file.charCodeAt(i)) >>> 0;
  return "h" + (h >>> 5) % 6;
}

function tipRows(a, n) {
  const row = (name, ...cells) => el("tr", null, el("th", null, name), ...cells.map((c) => el("td", null, c)));
  if (!a.diff)
    return [row("with what it calls", say(a, n.after), formatPercent(n.after, a.total)),
      row("itself", say(a, n.own), formatPercent(n.own, a.total))];
  return [row("now", say(a, n.after), formatPercent(n.after, a.total)),
    row("base", say(a, n.before), formatPercent(n.before, a.total_before)),
    row("change", changeText(a, n.after, n.before)),
    row("itself", changeText(a, n.own, n.ownBefore))];
}

function showTip(a, n, x, y) {
  let tip = $("#tip");
  if (!tip)
    document.body.append(tip = el("div", { id: "tip", role: "tooltip" }));
  tip.hidden = false;
  tip.replaceChildren(el("b.mono", null, n.name), n.file ? el("div.where", null, n.file) : "",
    el("table", null, ...tipRows(a, n)));
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = (y + 22 + box.height < innerHeight ? y + 18 : Math.max(6, y - box.height - 12)) + "px";
}

const hideTip = () => { if ($("#tip")) $("#tip").hidden = true; };

/* One line for a box: what a screen reader and the keyboard get. */
function detailText(a, n) {
  if (!a.diff)
    return `${say(a, n.after)}, ${formatPercent(n.after, a.total)}; itself ${say(a, n.own)}`;
  return `${say(a, n.before)} in the base, ${say(a, n.after)} now: ${changeText(a, n.after, n.before)}`;
}

/* ---- boxes --------------------------------------------------------------- */

/*
 * Left edges follow from the order: a child begins where its parent does, or
 * where its elder sibling ends.
 */
function layOut(nodes) {
  const edge = [0];
  for (const n of nodes) {
    n.x = edge[n.depth] || 0;
    edge[n.depth] = n.x + n.width;
    edge[n.depth + 1] = n.x;
  }
}

function makeBox(a, n, left, width, row, className) {
  const pixels = width * innerWidth / 100, thin = pixels < 24;
  const box = el(`div.box.${className}${thin ? ".thin" : ""}${pixels < 3 ? ".sliver" : ""}`,
    { tabindex: "-1", role: "treeitem", "aria-label": `${n.name}: ${detailText(a, n)}` },
    thin ? "" : n.name);
  box.style.left = left.toFixed(4) + "%";
  box.style.width = width.toFixed(4) + "%";
  box.style.top = row * ROW + "px";
  box.node = n;
  n.box = box;
  return box;
}

/*
 * Draw a tree into `place`.  options: path (nodes above), skipRoot, upwards,
 * choose(node) on a click.
 */
function drawFlame(place, a, nodes, options) {
  const path = options.path || [], first = options.skipRoot ? 1 : 0;
  const pixels = Math.max(200, place.clientWidth || $("#view").clientWidth);
  const total = nodes.length ? nodes[0].width : 0;
  layOut(nodes);
  const shown = [];
  let deepest = 0;
  path.forEach((n, i) => { n.row = i; shown.push(makeBox(a, n, 0, 100, i, "ancestor")); });
  for (const n of nodes) {
    if (n.depth < first || !total || n.width / total * pixels < NARROWEST)
      continue;
    n.row = path.length + n.depth - first;
    deepest = Math.max(deepest, n.row);
    shown.push(makeBox(a, n, 100 * n.x / total, 100 * n.width / total, n.row, boxClass(a, n)));
  }
  if (options.upwards)
    for (const box of shown)
      box.style.top = (deepest - box.node.row) * ROW + "px";
  place.replaceChildren(...shown);
  place.style.height = (deepest + 1) * ROW + 1 + "px";
  listen(place, a, shown, options);
  return shown;
}

function listen(place, a, shown, options) {
  const boxOf = (e) => e.target.closest(".box");
  let marked = [];
  const mark = (name) => {
    for (const b of marked)
      b.classList.remove("same-name");
    marked = name ? shown.filter((b) => b.node.name === name && b.node.frame >= 0) : [];
    if (marked.length > 1)
      for (const b of marked)
        b.classList.add("same-name");
  };
  place.onmousemove = (e) => {
    const box = boxOf(e);
    if (!box)
      return hideTip();
    showTip(a, box.node, e.clientX, e.clientY);
    mark(box.node.name);
  };
  place.onmouseleave = () => { hideTip(); mark(null); };
  place.onclick = (e) => { const box = boxOf(e); if (box) { hideTip(); options.choose(box.node); } };
  place.addEventListener("focusin", (e) => {
    const box = boxOf(e);
    for (const b of shown)
      b.tabIndex = b === box ? 0 : -1;
    if (box && options.focused)
      options.focused(box.node);
  });
  if (shown.length)
    shown[0].tabIndex = 0;
  place.onkeydown = (e) => moveFocus(e, shown, options);
}

/* Arrows go to the box beside, above or below, whichever lies nearest. */
function moveFocus(e, shown, options) {
  const box = e.target.closest(".box");
  if (!box || e.ctrlKey || e.metaKey || e.altKey)
    return;
  if (e.key === "Enter" || e.key === " ") {
    e.preventDefault();
    options.choose(box.node);
    return;
  }
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
  if (!step)
    return;
  e.preventDefault();
  const rowOf = (b) => Math.round(parseFloat(b.style.top) / ROW);
  const middle = (b) => parseFloat(b.style.left) + parseFloat(b.style.width) / 2;
  const row = rowOf(box) + step[0];
  const from = middle(box);
  const near = shown.filter((b) => rowOf(b) === row && (step[0] || (middle(b) - from) * step[1] > 0));
  near.sort((p, q) => Math.abs(middle(p) - from) - Math.abs(middle(q) - from));
  /* Down means to the widest child, not to the nearest sliver. */
  const inside = step[0] > 0 ? near.filter((b) => parseFloat(b.style.left) >= parseFloat(box.style.left) - 0.001 &&
    middle(b) <= parseFloat(box.style.left) + parseFloat(box.style.width)) : [];
  inside.sort((p, q) => q.node.width - p.node.width);
  const to = inside[0] || near[0];
  if (to)
    to.focus();
}

/* ---- the view ------------------------------------------------------------ */

/* The box that keys act on: the one with the focus, or the zoomed one. */
let flameFocus = null;

function crumbs(path, self) {
  return el("div.crumbs", { "aria-label": "Where you are", hidden: !path.length }, ...[...path, self].map((n) =>
    link(n.name, () => go({ at: n.id ? n.id : null }))));
}

function searchText(a) {
  if (!a.search)
    return "";
  const s = a.search;
  if (!a.diff)
    return `matched ${formatPercent(s.after, a.total)} (${say(a, s.after)})`;
  return `matched ${say(a, s.before)} in the base, ${say(a, s.after)} now`;
}

function flameTools(a, status) {
  const input = el("input", { type: "search", id: "search", placeholder: "Search (regular expression)   /", "aria-label": "Search functions", value: get("search") });
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => go({ search: input.value || null }, true), 250);
  });
  const toggle = get("invert") === "1";
  return el("div.row", null, input, status, el("span.grow"),
    el("button", { type: "button", id: "invert", "aria-pressed": String(toggle), title: "Leaves at the top, callers below them (i)",
      onclick: () => go({ invert: toggle ? null : "1", at: null }) }, "Invert"),
    el("button", { type: "button", id: "sandwich", title: "Callers and callees of the chosen function (s)", onclick: toSandwich }, "Sandwich"),
    el("button", { type: "button", id: "reset", disabled: !get("at"), title: "Whole graph (Esc)", onclick: () => go({ at: null }) }, "Reset zoom"));
}

function toSandwich() {
  const n = flameFocus;
  if (n && n.function)
    go({ v: "sandwich", f: n.function, at: null });
  else if (n && n.frame >= 0)
    note("This frame has no function's name.");
  else
    note("Choose a function first: click it, or move to it with the arrow keys.");
}

function leftOut(a) {
  const parts = [];
  if (a.narrow)
    parts.push(`${a.narrow.toLocaleString("en")} boxes too narrow to be seen`);
  if (a.deep)
    parts.push(`${a.deep.toLocaleString("en")} stacks that go deeper`);
  if (parts.length)
    note(`Not drawn: ${parts.join(" and ")}, of ${a.nodes.toLocaleString("en")} in all. They show when you zoom in.`);
}

async function showFlame(main, signal) {
  const a = await view("flame", { at: get("at"), invert: get("invert"), search: get("search") }, signal);
  const path = flameNodes(a, a.path), nodes = flameNodes(a, a);
  const had = document.activeElement && document.activeElement.id === "search" ? $("#search").selectionStart : -1;
  const status = el("output", { id: "matched" }, searchText(a));
  const detail = el("div.detail", { id: "detail" });
  const describe = (n) => detail.replaceChildren(el("b.mono", null, n.name), " ", el("span", null, detailText(a, n)),
    el("div.file", null, n.file || ""));
  const place = el("div.flame", { id: "flame", role: "tree", "aria-label": "Flame graph" });
  flameFocus = nodes[0];
  main.replaceChildren(flameTools(a, status), crumbs(path, nodes[0]), detail, place);
  const boxes = drawFlame(place, a, nodes, { path,
    choose: (n) => go({ at: n.id || null }),
    focused: (n) => { flameFocus = n; describe(n); } });
  describe(nodes[0]);
  if (a.search) {
    const hit = new Set(a.search.frames);
    place.classList.add("searching");
    for (const box of boxes)
      box.classList.toggle("match", hit.has(box.node.frame));
  }
  if (had >= 0) {
    $("#search").focus();
    $("#search").setSelectionRange(had, had);
  }
  leftOut(a);
  return a;
}

/* ---- sandwich ------------------------------------------------------------ */

async function showSandwich(main, signal) {
  const name = get("f");
  main.replaceChildren(el("p.dim", null, "\u2026"));
  if (!name) {
    main.replaceChildren(el("p.empty", null, "Choose a function in the flame graph or in the table, and press s."));
    return {};
  }
  const a = await view("sandwich", { f: name }, signal);
  const head = (t) => ({ ...a, ...t });
  const draw = (t, upwards) => {
    const place = el("div.flame", { role: "tree", "aria-label": upwards ? "Callers" : "Callees", "data-side": upwards ? "callers" : "callees" });
    return { place, run: () => drawFlame(place, head(t), flameNodes(head(t), t),
      { skipRoot: true, upwards, choose: (n) => n.function && go({ f: n.function }),
        focused: (n) => { flameFocus = n; } }) };
  };
  const up = draw(a.callers, true), down = draw(a.callees, false);
  const t = a.callees;
  main.replaceChildren(el("div.sandwich", null,
    el("div.row", null, el("span.name.mono", null, name),
      el("span", null, a.diff ? changeText(a, t.total, t.total_before) : say(a, t.total)),
      el("span.grow"),
      el("button", { type: "button", onclick: () => go({ v: "flame", f: null }) }, "Whole graph"),
      el("button", { type: "button", onclick: () => go({ v: "peek", f: exactly(name) }) }, "Peek"),
      el("button", { type: "button", onclick: () => go({ v: "source", f: exactly(name) }) }, "Source")),
    el("h2", null, "Callers: who called it, outermost at the top"), up.place,
    el("h2", null, "Callees: where its time goes"), down.place));
  up.run();
  down.run();
  flameFocus = { name, function: name, frame: 0 };
  return a;
}
