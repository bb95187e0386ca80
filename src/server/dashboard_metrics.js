/*
 * dashboard_metrics.js - from two answers of /metrics to the figures of the
 * time between them.  Nothing here knows of the page.
 */
"use strict";

/* Who watches is not whom the server is for. */
const WATCHING = new Set(["/metrics", "/stats", "/health", "/dashboard"]);

/* "name{a="b",c="d"} 5" -> [name, {a: "b", c: "d"}, 5], or null. */
function parseLine(line) {
  const m = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!m)
    return null;
  const labels = {};
  if (m[2])
    for (const [, key, value] of m[2].matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g))
      labels[key] = value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
  return [m[1], labels, m[3] === "+Inf" ? Infinity : Number(m[3])];
}

/* One scrape: totals, levels, and the latency histogram, over all routes but
 * those that watch. */
function readScrape(text, at) {
  const s = { at, values: {}, all: { requests: 0, errors: 0 }, requests: 0, errors: 0, buckets: new Map(), info: {} };
  let lines = 0;
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#"))
      continue;
    const parsed = parseLine(line);
    if (!parsed)
      continue;
    lines++;
    const [name, labels, value] = parsed;
    const ours = !WATCHING.has(labels.route);
    switch (name) {
    case "proflab_http_requests_total":
      s.all.requests += value;
      s.requests += ours ? value : 0;
      break;
    case "proflab_http_request_errors_total":
      s.all.errors += value;
      s.errors += ours ? value : 0;
      break;
    case "proflab_http_request_duration_seconds_bucket":
      if (ours) {
        const le = labels.le === "+Inf" ? Infinity : Number(labels.le);
        s.buckets.set(le, (s.buckets.get(le) || 0) + value);
      }
      break;
    case "proflab_build_info":
      s.info = labels;
      break;
    default:
      s.values[name] = (s.values[name] || 0) + value;
    }
  }
  if (!lines || s.values.proflab_threads === undefined)
    throw new Error("the answer of /metrics has none of the server's figures");
  return s;
}

/*
 * As histogram_quantile of Prometheus: linear within a bucket; what lies above
 * the last finite bound is that bound.  null for no observation.
 */
function quantile(q, buckets) {
  const bounds = [...buckets.keys()].sort((a, b) => a - b);
  const total = bounds.length ? buckets.get(bounds[bounds.length - 1]) : 0;
  if (!total)
    return null;
  const rank = q * total;
  for (let i = 0; i < bounds.length; i++) {
    const count = buckets.get(bounds[i]);
    if (count < rank)
      continue;
    if (bounds[i] === Infinity)
      return i ? bounds[i - 1] : null;
    const low = i ? bounds[i - 1] : 0, below = i ? buckets.get(low) : 0;
    return count > below ? low + (bounds[i] - low) * (rank - below) / (count - below) : bounds[i];
  }
  return null;
}

/* Is it another process than before?  Its counters began anew. */
const isRestart = (before, now) =>
  before.values.process_start_time_seconds !== now.values.process_start_time_seconds;

function bucketsBetween(before, now) {
  const d = new Map();
  for (const [le, count] of now.buckets)
    d.set(le, count - (before.buckets.get(le) || 0));
  return d;
}

/* The levels of now, and the rates since before (null: not known). */
function figuresOf(before, now) {
  const v = now.values;
  const f = {
    heap: v.proflab_memory_allocated_bytes, resident: v.process_resident_memory_bytes,
    threads: v.proflab_threads, workers: v.proflab_workers,
    requests: null, errors: null, p99: null, p50: null, lockWait: null, profiler: null,
  };
  if (!before || isRestart(before, now))
    return f;
  const seconds = (now.at - before.at) / 1000;
  const rate = (name) => (v[name] - before.values[name]) / seconds;
  const requests = now.requests - before.requests;
  f.requests = requests / seconds;
  f.errors = requests ? (now.errors - before.errors) / requests : null;
  const buckets = bucketsBetween(before, now);
  f.p99 = quantile(0.99, buckets);
  f.p50 = quantile(0.5, buckets);
  f.lockWait = rate("pprof_lock_wait_seconds_total");
  return f;
}

/* ---- for people ---------------------------------------------------------- */

const digits = (v) => (v === 0 ? "0" : v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v >= 1 ? v.toFixed(2) : v.toPrecision(2));

/* 1 MB is 1000000 bytes; no zeros behind the point. */
function scaled(v, units, step) {
  let i = 0;
  while (i < units.length - 1 && Math.abs(v) >= step) {
    v /= step;
    i++;
  }
  return String(Number(digits(v))) + units[i];
}

const UNITS = {
  bytes: (v) => scaled(v, [" B", " kB", " MB", " GB", " TB"], 1000),
  count: (v) => scaled(v, ["", "k", "M"], 1000),
  rate: (v) => scaled(v, ["/s", "k/s", "M/s"], 1000),
  share: (v) => String(Number(digits(100 * v))) + "%",
  seconds: (v) => (v >= 1 ? String(Number(digits(v))) + " s" : v >= 1e-3 || v === 0 ? String(Number(digits(v * 1e3))) + " ms" : String(Number(digits(v * 1e6))) + " \u00b5s"),
  wait: (v) => String(Number(digits(v))) + " s/s",
};
const format = (unit, v) => (v === null || v === undefined || Number.isNaN(v) ? "\u2013" : UNITS[unit](v));

/* What one types as a threshold: "500MB", "5%", "250ms", "2"; null: none. */
const SUFFIXES = {
  bytes: { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  count: { "": 1, k: 1e3 },
  rate: { "": 1, "/s": 1, k: 1e3 },
  share: { "%": 0.01, "": 0.01 },
  seconds: { "": 1, s: 1, ms: 1e-3, us: 1e-6, "\u00b5s": 1e-6 },
  wait: { "": 1, s: 1, "s/s": 1 },
};
function parseThreshold(unit, text) {
  const m = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-zA-Z%\u00b5/]*)\s*$/.exec(text);
  const factor = m && SUFFIXES[unit][m[2].toLowerCase()];
  return factor ? Number(m[1]) * factor : null;
}
