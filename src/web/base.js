/*
 * base.js - what every view stands on: elements, figures, the address, answers
 * of the server.  Names come from profiles and may hold anything, so text
 * enters the page by textContent alone, never as markup.
 */
"use strict";

const $ = (selector) => document.querySelector(selector);

/* el("td.name", {title: "x", onclick: f}, "text", child, ...) */
function el(what, attributes, ...children) {
  const [tag, ...classes] = what.split(".");
  const e = document.createElement(tag);
  if (classes.length)
    e.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false)
      continue;
    if (key.startsWith("on"))
      e.addEventListener(key.slice(2), value);
    else if (key.startsWith("--"))
      e.style.setProperty(key, value);
    else
      e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const link = (text, onclick, title) =>
  el("button.link.mono", { type: "button", onclick, title }, text);

/* ---- figures, as src/report/measure.c writes them ------------------------ */

const UNITS = [
  { aliases: ["b", "byte"], steps: [["B", 1], ["kB", 2 ** 10], ["MB", 2 ** 20],
    ["GB", 2 ** 30], ["TB", 2 ** 40], ["PB", 2 ** 50]], least: ["B", 1] },
  { aliases: ["ns", "nanosecond"], factor: 1 },
  { aliases: ["us", "\u03bcs", "microsecond"], factor: 1e3 },
  { aliases: ["ms", "millisecond"], factor: 1e6 },
  { aliases: ["s", "sec", "second"], factor: 1e9 },
  { aliases: ["hour", "hr"], factor: 3600e9 },
];
const TIME = [["ns", 1], ["us", 1e3], ["ms", 1e6], ["s", 1e9], ["hrs", 3600e9]];

function findUnit(name) {
  let key = name.toLowerCase();
  if (key.length > 2 && key.endsWith("s"))
    key = key.slice(0, -1);
  return UNITS.find((u) => u.aliases.includes(key));
}

function formatValue(value, unit) {
  if (value < 0)
    return "-" + formatValue(-value, unit);
  const u = findUnit(unit);
  let name = "";
  if (u) {
    const steps = u.steps || TIME;
    value *= u.factor || 1;
    const fits = steps.filter((s) => value / s[1] >= 1);
    const step = fits.length ? fits[fits.length - 1] : u.least || ["s", 1e9];
    value /= step[1];
    name = step[0];
  } else if (!["count", "sample", "unit", ""].includes(unit)) {
    name = " " + unit;
  }
  let text = value.toFixed(2);
  if (text.endsWith(".00"))
    text = text.slice(0, -3);
  return text === "0" ? "0" : text + name;
}

function formatPercent(value, total) {
  const ratio = total ? Math.abs(value / total) * 100 : 0;
  if (ratio >= 99.95 && ratio <= 100.05)
    return "100%";
  return (ratio >= 1 ? ratio.toFixed(2) : String(Number(ratio.toPrecision(2)))) + "%";
}

/* What the answer measures, with its own unit. */
const say = (answer, value) => formatValue(value * (answer.ratio || 1), answer.unit);

/* "+1.20s (+35 %)", "new", "gone": the change of one figure. */
function changeText(answer, after, before) {
  const d = after - before;
  if (!d)
    return "no change";
  const sign = d > 0 ? "+" : "";
  const part = !before ? "new" : !after ? "gone"
    : after / before >= 10 ? `\u00d7${Math.round(after / before)}`
    : `${sign}${(100 * d / before).toFixed(Math.abs(d / before) < 0.1 ? 1 : 0)}%`;
  return `${sign}${say(answer, d)} (${part})`;
}

const changeClass = (after, before) =>
  after > before ? "more" : after < before ? "less" : "dim";

/* Of the larger of the two, how much has changed: four steps either way. */
function changeStep(after, before) {
  const larger = Math.max(after, before);
  const share = larger ? Math.abs(after - before) / larger : 0;
  const step = share < 0.02 ? 0 : share < 0.15 ? 1 : share < 0.4 ? 2 : share < 0.75 ? 3 : 4;
  return step ? (after > before ? "u" : "d") + step : "same";
}

/* ---- the state is the address -------------------------------------------- */

const FILTERS = ["focus", "ignore", "hide", "show", "show_from", "tagfocus", "tagignore"];
/* What narrows the data; the rest of the address chooses how to look at it. */
const QUERY = ["si", "g", "noinlines", ...FILTERS];
let state = new URLSearchParams(location.search);
const get = (key) => state.get(key) || "";

/* Change some of it; null takes a key out.  replace: no step of its own. */
function go(changes, replace) {
  const next = new URLSearchParams(state);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined)
      next.delete(key);
    else
      next.set(key, value);
  }
  if (next.toString() === state.toString())
    return;
  state = next;
  const text = state.toString();
  history[replace ? "replaceState" : "pushState"](null, "",
    location.pathname + (text ? "?" + text : ""));
  render();
}

addEventListener("popstate", () => {
  state = new URLSearchParams(location.search);
  render();
});

/* A regular expression that means this text alone. */
const exactly = (text) => "^" + text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") + "$";

/* ---- answers ------------------------------------------------------------- */

/* Not relative to the address of the page: that may hold a password. */
const place = (path) => location.origin + location.pathname.replace(/[^/]*$/, "") + path;

class Refusal extends Error {}

async function ask(url, options) {
  let reply;
  try {
    reply = await fetch(url, options);
  } catch (e) {
    if (e.name === "AbortError")
      throw e;
    throw new Refusal("The server does not answer. Is it still running?");
  }
  const text = await reply.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch (e) {
    throw new Refusal(reply.ok ? "The answer cannot be read." : `${reply.status}: ${text.slice(0, 300)}`);
  }
  if (answer.error !== undefined)
    throw new Refusal(answer.error);
  return answer;
}

/* The last few answers are kept, so that going back costs nothing. */
const KEPT_ANSWERS = 12;
const answers = new Map();

function subjectKeys() {
  return live ? ["p", "base"] : [];
}

async function view(name, own, signal) {
  const query = new URLSearchParams();
  for (const key of [...subjectKeys(), ...QUERY])
    if (state.has(key))
      query.set(key, state.get(key));
  for (const [key, value] of Object.entries(own || {}))
    if (value)
      query.set(key, value);
  const url = place(`api/${name}?${query}`);
  if (answers.has(url))
    return answers.get(url);
  const answer = await ask(url, { signal });
  answers.set(url, answer);
  if (answers.size > KEPT_ANSWERS)
    answers.delete(answers.keys().next().value);
  return answer;
}

/* ---- what is said beside the view ---------------------------------------- */

function note(text, isError) {
  $("#notes").append(el(isError ? "p.error" : "p", null, text));
}

const live = !!document.getElementById("live");
