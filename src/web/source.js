/* source.js - lines of source with what each costs. */
"use strict";

function sourceLine(a, row, most) {
  const [number, text, flat, cum, flat0, cum0] = row;
  const heat = most ? Math.max(cum, cum0 || 0) / most : 0;
  const cells = [el("td.number", null, String(number))];
  if (a.diff) {
    cells.push(el("td." + changeClass(flat, flat0), null, flat || flat0 ? changeText(a, flat, flat0) : "."),
      el("td." + changeClass(cum, cum0), null, cum || cum0 ? changeText(a, cum, cum0) : "."));
  } else {
    cells.push(el("td", null, flat ? say(a, flat) : "."), el("td", null, cum ? say(a, cum) : "."));
  }
  cells.push(el("td.text", null, text));
  return el(`tr${heat ? ".warm" : ""}${heat > 0.3 ? ".hot" : ""}`, { "--heat": Math.round(60 * heat) }, ...cells);
}

function listing(a, l) {
  const [flat, cum, flat0, cum0] = l.values;
  const most = l.lines.reduce((m, r) => Math.max(m, r[3], r[5] || 0), 0);
  const value = (now, before) => a.diff ? changeText(a, now, before) : say(a, now);
  return el("section.listing", null,
    el("h2.mono", null, link(l.name, () => go({ v: "sandwich", f: l.name }), "Callers and callees")),
    el("p.sub", null, `${l.file || "no file"} \u2014 itself ${value(flat, flat0)}, with what it calls ${value(cum, cum0)} (${formatPercent(cum, a.total)})`),
    l.missing ? el("p.sub", null, `The source is not shown: ${l.missing}. -source_path and -trim_path of proflab-pprof say where it is.`) : null,
    el("div.code", null, el("table", null, el("thead", null, el("tr", null, el("td.number", null, "line"),
      el("td", null, a.diff ? "flat change" : "flat"), el("td", null, a.diff ? "cum change" : "cum"), el("td.text"))),
    el("tbody", null, ...l.lines.map((r) => sourceLine(a, r, most))))));
}

async function showSource(main, signal) {
  main.replaceChildren(functionField("Function to list", "flat and cum for each line"));
  const a = await view("source", { f: await withFunction(signal) }, signal);
  main.append(...a.listings.map((l) => listing(a, l)));
  if (a.left_out)
    note(`${a.left_out} more functions match.`);
  return a;
}
