/* views.js - the table of functions, and the callers and callees of some. */
"use strict";

/* ---- top ----------------------------------------------------------------- */

/* Columns of a row: [name, function, file, line, flat, cum, flat0, cum0]. */
const FLAT = 4, CUM = 5, FLAT0 = 6, CUM0 = 7, ROWS_SHOWN = 400;

const cell = (text, className) => el("td" + (className ? "." + className : ""), null, text);

function shareCell(value, total, className) {
  return el("td.share" + (className ? "." + className : ""),
    { "--share": total ? Math.min(100, 100 * Math.abs(value) / total).toFixed(1) : 0 },
    formatPercent(value, total));
}

const by = (f) => (a, b) => f(b) - f(a);

/*
 * By how much two sampled figures differ by chance alone: two standard
 * deviations, of as many samples as stand behind them.  0: not sampled so.
 */
function noise(after, before) {
  const p = meta.profile, type = meta.types[meta.value].type;
  const step = type === p.period_type || (p.period_type === "space" && type.endsWith("_space")) ? p.period
    : type === "samples" ? 1 : 0;
  return step ? 2 * Math.sqrt((Math.abs(after) + Math.abs(before)) * step) : 0;
}

function changeCell(a, after, before) {
  const chance = Math.abs(after - before) < noise(after, before);
  return el("td." + (chance ? "dim" : changeClass(after, before)),
    { title: chance ? `may be chance: sampled figures of this size vary by ${say(a, noise(after, before))}` : null },
    changeText(a, after, before));
}

const TOP_COLUMNS = {
  flat: { label: "Flat", title: "spent in the function itself", value: (r) => r[FLAT],
    cells: (a, r) => [cell(say(a, r[FLAT])), shareCell(r[FLAT], a.total)] },
  sum: { label: "Sum%", title: "of this row and those above it", wide: true },
  cum: { label: "Cum", title: "spent in it and in what it called", value: (r) => r[CUM],
    cells: (a, r) => [cell(say(a, r[CUM])), shareCell(r[CUM], a.total)] },
  flat_change: { label: "Flat change", title: "flat, now against the base",
    value: (r) => r[FLAT] - r[FLAT0],
    cells: (a, r) => [changeCell(a, r[FLAT], r[FLAT0])] },
  cum_change: { label: "Cum change", title: "cum, now against the base",
    value: (r) => r[CUM] - r[CUM0],
    cells: (a, r) => [changeCell(a, r[CUM], r[CUM0])] },
  name: { label: "Function" },
};

function sortRows(rows, key, up) {
  const column = TOP_COLUMNS[key];
  const magnitude = key.endsWith("_change") ? Math.abs : (x) => x;
  const order = key === "name" ? (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)
    : by((r) => magnitude(column.value(r)));
  rows.sort(order);
  if (up !== (key === "name"))
    return key === "name" ? rows : rows.reverse();
  return key === "name" ? rows.reverse() : rows;
}

function actions(name) {
  const to = (text, title, changes) => el("button", { type: "button", title,
    onclick: (e) => { e.stopPropagation(); go(changes); } }, text);
  return el("span.actions", null,
    to("flame", "Stacks with this function alone", { v: "flame", focus: exactly(name), at: null }),
    to("peek", "Who calls it, and what it calls", { v: "peek", f: exactly(name) }),
    to("source", "Its lines", { v: "source", f: exactly(name) }));
}

function topRow(a, row, sum) {
  const cells = [];
  for (const key of a.diff ? ["flat", "flat_change", "cum", "cum_change"] : ["flat", "sum", "cum"]) {
    if (key === "sum")
      cells.push(cell(formatPercent(sum, a.total), "wide"));
    else
      cells.push(...TOP_COLUMNS[key].cells(a, row));
  }
  const kind = !a.diff ? "" : !row[CUM0] && row[CUM] ? "new" : row[CUM0] && !row[CUM] ? "gone" : "";
  cells.push(el("td.name", null,
    row[1] ? actions(row[1]) : null,
    link(row[0], () => go(row[1] ? { v: "sandwich", f: row[1] } : {}), "Callers and callees"),
    kind ? el("span.badge." + kind, null, kind) : null));
  return el("tr", null, ...cells);
}

function topHead(a, sort, up) {
  const keys = a.diff ? ["flat", "flat_change", "cum", "cum_change", "name"] : ["flat", "sum", "cum", "name"];
  return el("tr", null, ...keys.map((key) => {
    const c = TOP_COLUMNS[key];
    const sortable = key !== "sum";
    const order = sort === key ? (up ? "ascending" : "descending") : null;
    return el(c.wide ? "th.wide" : "th",
      { scope: "col", "aria-sort": order, title: c.title, "data-sort": key,
        colspan: key === "flat" || key === "cum" ? 2 : null },
      el("button", { type: "button", disabled: !sortable,
        onclick: () => go({ sort: key, up: sort === key && !up ? "1" : null }, true) }, c.label));
  }));
}

/* Of a difference: all that is new and all that has gone, heaviest first. */
function changeCards(a) {
  const card = (title, rows, value, className) => el("section.card", { "data-card": title }, el("h2", null, title),
    el("p.big." + className, null, String(rows.length)),
    el("ul", null, ...rows.sort(by(value)).slice(0, 6).map((r) => el("li", null,
      link(r[0], () => go({ v: "sandwich", f: r[1] })), el("span", null, say(a, value(r))))),
    rows.length > 6 ? el("li.dim", null, `and ${rows.length - 6} more in the table`) : null));
  const d = a.total - a.total_before;
  return el("div.cards", null,
    el("section.card", null, el("h2", null, "In all"),
      el("p.big." + changeClass(a.total, a.total_before), null, changeText(a, a.total, a.total_before)),
      el("p.dim", null, `${say(a, a.total_before)} in the base, ${say(a, a.total)} now` +
        (d ? "" : "; the same")),
      noise(a.total, a.total_before) ? el("p.hint", null, "Both are samples: chance alone moves the total by about " +
        `${say(a, noise(a.total, a.total_before))}. Changes of a function that may be chance are grey.`) : null),
    card("New functions", a.rows.filter((r) => r[CUM] && !r[CUM0]), (r) => r[CUM], "more"),
    card("Gone functions", a.rows.filter((r) => r[CUM0] && !r[CUM]), (r) => r[CUM0], "less"));
}

/* Text or regular expression: whatever the reader typed. */
function matcher(text) {
  try {
    const rx = new RegExp(text, "i");
    return (s) => rx.test(s);
  } catch (e) {
    return (s) => s.toLowerCase().includes(text.toLowerCase());
  }
}

function topTable(a, rows, sort, up, all) {
  const body = el("tbody");
  let sum = 0;
  for (const row of all ? rows : rows.slice(0, ROWS_SHOWN)) {
    sum += row[FLAT];
    body.append(topRow(a, row, sum));
  }
  return el("div.scroll", null, el(a.diff ? "table.data.differs" : "table.data", { id: "top" },
    el("thead", null, topHead(a, sort, up)), body));
}

async function showTop(main, signal) {
  const a = await view("top", null, signal);
  const sort = get("sort") || (a.diff ? "flat_change" : "flat");
  const up = get("up") === "1";
  const input = el("input", { type: "search", id: "top-search", placeholder: "Find a function", "aria-label": "Find a function", value: get("find") });
  const count = el("span.dim"), place_ = el("div");
  let all = false;
  const fill = () => {
    const match = matcher(input.value);
    const rows = sortRows(a.rows.filter((r) => !input.value || match(r[0])), sort, up);
    count.textContent = `${rows.length} of ${a.rows.length + a.left_out}`;
    place_.replaceChildren(topTable(a, rows, sort, up, all));
    if (!all && rows.length > ROWS_SHOWN)
      place_.append(el("p.row", null, el("button", { type: "button", onclick: () => { all = true; fill(); } },
        `Show all ${rows.length} rows`)));
  };
  input.addEventListener("input", () => { fill(); state.set("find", input.value); });
  fill();
  main.replaceChildren(el("div.row", null, input, count));
  if (a.diff)
    main.prepend(changeCards(a));
  main.append(place_);
  if (a.left_out)
    note(`The ${a.left_out} lightest of ${a.rows.length + a.left_out} functions are left out; filters bring them back.`);
  return a;
}

/* ---- peek ---------------------------------------------------------------- */

function peekRows(a, f, list, arrow) {
  return list.map(([name, now, before, inline]) => el("tr", null,
    cell(say(a, now)), shareCell(now, f.cum),
    a.diff ? cell(changeText(a, now, before), changeClass(now, before)) : null,
    el("td.name", null, el("span.dim", null, arrow + " "),
      link(name, () => go({ f: exactly(name) })), inline ? el("span.dim", null, " (inline)") : null)));
}

function peekCard(a, f) {
  const self = el("tr.self", null, cell(say(a, f.cum)), shareCell(f.cum, a.total),
    a.diff ? cell(changeText(a, f.cum, f.cum_before), changeClass(f.cum, f.cum_before)) : null,
    el("td.name", null, actions(f.name), el("span.mono", null, f.name),
      el("span.where", null, `  itself ${say(a, f.flat)}`)));
  return el("div.scroll.peek", null, el("table.data", null, el("tbody", null,
    ...peekRows(a, f, f.callers, "\u2191"), self, ...peekRows(a, f, f.callees, "\u2193"))));
}

/* The field that peek and source ask for a function with. */
function functionField(label, hint) {
  const input = el("input", { type: "search", id: "function", value: get("f"), placeholder: "Function (regular expression)", "aria-label": label });
  return el("form.row", { onsubmit: (e) => { e.preventDefault(); go({ f: input.value || null }); } },
    input, el("button", { type: "submit" }, "Show"), el("span.dim", null, hint));
}

/* Without a function, the heaviest one: a view never begins empty. */
async function withFunction(signal) {
  if (get("f"))
    return get("f");
  const a = await view("top", null, signal);
  const rows = a.rows.filter((r) => r[1]).sort(by((r) => Math.max(r[FLAT], r[FLAT0] || 0)));
  return rows.length ? exactly(rows[0][1]) : ".";
}

async function showPeek(main, signal) {
  main.replaceChildren(functionField("Function to peek at",
    "\u2191 callers, \u2193 callees; click one to go there"));
  const a = await view("peek", { f: await withFunction(signal) }, signal);
  main.append(...a.functions.map((f) => peekCard(a, f)));
  if (a.left_out)
    note(`${a.left_out} more functions match.`);
  return a;
}
