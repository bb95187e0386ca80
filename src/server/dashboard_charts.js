/*
 * dashboard_charts.js - what is drawn, and how: one chart for each row of
 * CHARTS, by dygraphs, with its threshold.
 */
"use strict";

/* threshold: at first; "" is none. */
const CHARTS = [
  { id: "memory", title: "Memory", unit: "bytes", threshold: "500MB",
    series: [["heap", "live heap"], ["resident", "resident"]],
    about: "bytes in use by the heap, and of the whole process" },
  { id: "threads", title: "Threads", unit: "count", threshold: "200", whole: true,
    series: [["threads", "all"], ["workers", "workers"]], about: "of the process; those that serve workloads" },
  { id: "requests", title: "Requests", unit: "rate", threshold: "",
    series: [["requests", "answered"]], about: "answered in a second" },
  { id: "errors", title: "Errors", unit: "share", threshold: "5%",
    series: [["errors", "failed"]], about: "share of the requests with a status of 400 or more" },
  { id: "p99", title: "Latency", unit: "seconds", threshold: "1s",
    series: [["p99", "p99"], ["p50", "median"]], about: "what 99 and 50 of 100 requests were answered within" },
  { id: "lockwait", title: "Lock wait", unit: "wait", threshold: "2",
    series: [["lockWait", "waited"]], about: "seconds that threads waited for locks, in a second" },
];

/* Its legend is made of style attributes, which the policy forbids; the figures
 * stand beside the title instead. */
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

/* Old ones go: 2 hours at one a second. */
const POINTS_MAX = 7200;

const $ = (selector) => document.querySelector(selector);

/* el("p.error", {id: "x"}, "text", child, ...) */
function el(what, attributes, ...children) {
  const [tag, ...classes] = what.split(".");
  const e = document.createElement(tag);
  e.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {}))
    if (typeof value === "function")
      e[key] = value;
    else if (value !== null)
      e.setAttribute(key, value);
  e.append(...children.filter((c) => c !== null));
  return e;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seriesColours = (n) => ["--series-1", "--series-2"].slice(0, n).map(colour);
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hourCycle: "h23" });

/* ---- one chart ----------------------------------------------------------- */

class Chart {
  constructor(row, onThreshold, onHover) {
    this.row = row;
    this.onHover = onHover;
    this.points = [];
    this.value = el("output.value", { id: `${row.id}-value` }, "\u2013");
    this.plot = el("div.plot", { id: `${row.id}-plot`, role: "img" });
    this.input = el("input", { id: `${row.id}-threshold`, size: 7, autocomplete: "off", spellcheck: "false", placeholder: "none",
      title: "A threshold, such as " + ({ bytes: "500MB", share: "5%", seconds: "250ms" }[row.unit] || "2") + "; empty: none",
      onchange: () => onThreshold(this, this.input.value) });
    this.names = row.series.map(([, label], i) => el(`span.series${i + 1}`, null, el("i"), label, el("b")));
    this.detail = el("p.detail", { id: `${row.id}-detail` }, ...this.names, el("strong", null));
    this.figure = el("figure", { id: row.id },
      el("figcaption", null, el("h2", { title: row.about }, row.title), this.value,
        el("label", null, "Threshold ", this.input), this.detail), this.plot);
    this.setThreshold(row.threshold);
  }

  /* Returns: false for what is no threshold; then nothing changes. */
  setThreshold(text) {
    const limit = text.trim() ? parseThreshold(this.row.unit, text) : null;
    const bad = limit === null && text.trim() !== "";
    this.input.classList.toggle("bad", bad);
    if (bad)
      return false;
    this.limit = limit;
    this.input.value = text.trim();
    return true;
  }

  /* Once it is in the page: the library asks for its size. */
  start() {
    const { series, unit, whole } = this.row;
    this.graph = new Dygraph(this.plot, this.rows(), {
      labels: ["time", ...series.map(([, label]) => label)],
      legend: "never", includeZero: true, strokeWidth: 1.8, highlightCircleSize: 3.5,
      fillGraph: true, fillAlpha: 0.1, axisLabelFontSize: 11, labelsKMB: false, xRangePad: 2,
      axes: {
        x: { pixelsPerLabel: 80, axisLabelFormatter: (ms) => clock(ms), valueFormatter: (ms) => clock(ms) },
        y: { axisLabelWidth: 58, pixelsPerLabel: 34, axisLabelFormatter: (v) => (whole && v % 1 ? "" : format(unit, v)) },
      },
      underlayCallback: (context, area, graph) => this.drawThreshold(context, area, graph),
      highlightCallback: (event, ms, points, row) => this.onHover(row),
      unhighlightCallback: () => this.onHover(null),
      ...this.theme(),
    });
    /* The library follows the window alone. */
    new ResizeObserver(() => this.graph.resize()).observe(this.plot);
  }

  theme() {
    return { colors: seriesColours(this.row.series.length), gridLineColor: colour("--grid"), axisLineColor: colour("--line-strong") };
  }

  rows() {
    return this.points.length ? this.points : [[Date.now(), ...this.row.series.map(() => null)]];
  }

  add(ms, figures) {
    this.points.push([ms, ...this.row.series.map(([key]) => (figures ? figures[key] : null))]);
    if (this.points.length > POINTS_MAX)
      this.points.shift();
    if (figures)
      this.show(this.points.length - 1);
  }

  /* The figures of one row, beside the title. */
  show(row) {
    const values = this.points[row].slice(1), unit = this.row.unit;
    const over = this.limit !== null && values[0] !== null && values[0] > this.limit;
    this.value.textContent = format(unit, values[0]);
    this.names.forEach((name, i) => name.querySelector("b").textContent = i ? format(unit, values[i]) : "");
    this.detail.querySelector("strong").textContent = over ? "above the threshold" : "";
    this.figure.classList.toggle("over", over);
    this.figure.dataset.points = this.points.filter((p) => p[1] !== null).length;
    this.plot.setAttribute("aria-label", `${this.row.title}: ${this.value.textContent}, ${this.row.about}` + (over ? "; above the threshold" : ""));
  }

  /* All of what is drawn, and the threshold where that is not far above. */
  range(from) {
    let top = 0;
    for (const [ms, ...values] of this.points)
      if (ms >= from)
        top = Math.max(top, ...values.map((v) => v || 0));
    const limit = this.limit || 0;
    this.limitShown = limit > 0 && (top === 0 || limit <= 4 * top);
    const high = Math.max(top, this.limitShown ? limit : 0);
    return [0, high ? high * 1.12 : 1];
  }

  draw(from, to) {
    this.graph.updateOptions({ file: this.rows(), dateWindow: [from, to], valueRange: this.range(from), ...this.theme() });
  }

  drawThreshold(context, area, graph) {
    if (this.limit === null || this.limit === undefined)
      return;
    const y = this.limitShown ? graph.toDomYCoord(this.limit) : area.y + 7;
    const text = (this.limitShown ? "" : "\u2191 ") + format(this.row.unit, this.limit);
    context.save();
    context.strokeStyle = context.fillStyle = colour("--limit");
    context.font = "600 11px system-ui, sans-serif";
    const width = context.measureText(text).width;
    if (this.limitShown) {
      context.setLineDash([6, 4]);
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(area.x, y);
      context.lineTo(area.x + area.w, y);
      context.stroke();
    }
    /* To be read where it lies over a line. */
    context.setLineDash([]);
    context.lineWidth = 4;
    context.strokeStyle = colour("--panel");
    context.strokeText(text, area.x + area.w - width - 4, this.limitShown ? y - 4 : y + 4);
    context.fillText(text, area.x + area.w - width - 4, this.limitShown ? y - 4 : y + 4);
    context.restore();
  }
}
