/*
 * graph.js - the call graph that graphviz drew, moved and zoomed.  The SVG
 * holds names of the profile: only elements and attributes of drawings are
 * taken over from it.
 */
"use strict";

const SVG_ELEMENTS = new Set(["svg", "g", "path", "polygon", "polyline", "ellipse", "text", "title", "a", "rect", "line"]);
const SVG_ATTRIBUTES = new Set(["width", "height", "viewBox", "id", "class", "transform", "points", "d", "cx", "cy", "rx", "ry",
  "x", "y", "x1", "y1", "x2", "y2", "fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor", "font-family", "font-size",
  "fill-opacity", "stroke-opacity"]);
const SVG = "http://www.w3.org/2000/svg";

/* A copy with nothing in it but the drawing. */
function cleanSvg(from) {
  const to = document.createElementNS(SVG, from.localName === "a" ? "g" : from.localName);
  for (const { name, value } of from.attributes)
    if (SVG_ATTRIBUTES.has(name))
      to.setAttribute(name, value);
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE)
      to.append(child.nodeValue);
    else if (child.nodeType === Node.ELEMENT_NODE && SVG_ELEMENTS.has(child.localName) && child.namespaceURI === SVG)
      to.append(cleanSvg(child));
  }
  const tip = from.getAttributeNS("http://www.w3.org/1999/xlink", "title");
  if (tip) {
    const title = document.createElementNS(SVG, "title");
    title.textContent = tip;
    to.prepend(title);
  }
  return to;
}

function movable(place, svg) {
  const size = svg.viewBox.baseVal;
  const at = { x: 0, y: 0, scale: 1 };
  const put = () => { svg.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.scale})`; };
  const fit = () => {
    at.scale = Math.min(place.clientWidth / size.width, place.clientHeight / size.height, 1.4);
    /* A graph that would be too small to read begins at its upper part. */
    at.scale = Math.max(at.scale, Math.min(0.45, place.clientWidth / 600));
    at.x = (place.clientWidth - size.width * at.scale) / 2;
    at.y = size.height * at.scale < place.clientHeight ? (place.clientHeight - size.height * at.scale) / 2 : 8;
    put();
  };
  const zoom = (by, x, y) => {
    const scale = Math.min(8, Math.max(0.03, at.scale * by));
    at.x = x - (x - at.x) * scale / at.scale;
    at.y = y - (y - at.y) * scale / at.scale;
    at.scale = scale;
    put();
  };
  svg.setAttribute("width", size.width);
  svg.setAttribute("height", size.height);
  place.onwheel = (e) => {
    const box = place.getBoundingClientRect();
    e.preventDefault();
    zoom(Math.exp(-e.deltaY / 500), e.clientX - box.left, e.clientY - box.top);
  };
  let from = null;
  place.onpointerdown = (e) => { from = { x: e.clientX - at.x, y: e.clientY - at.y }; place.setPointerCapture(e.pointerId); };
  place.onpointermove = (e) => { if (from) { at.x = e.clientX - from.x; at.y = e.clientY - from.y; put(); } };
  place.onpointerup = place.onpointercancel = () => { from = null; };
  place.onkeydown = (e) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[e.key];
    if (!step)
      return;
    e.preventDefault();
    at.x += step[0];
    at.y += step[1];
    put();
  };
  fit();
  return { fit, zoom: (by) => zoom(by, place.clientWidth / 2, place.clientHeight / 2) };
}

async function showGraph(main, signal) {
  main.replaceChildren(el("p.dim", null, "graphviz draws \u2026"));
  let a;
  try {
    a = await view("graph", null, signal);
  } catch (e) {
    if (!(e instanceof Refusal))
      throw e;
    main.replaceChildren(el("div.empty", null, el("h2", null, "No graph"), el("p", null, e.message),
      /Graphviz/.test(e.message) ? el("pre.command", null, "apt-get install graphviz") : null,
      el("p.dim", null, "The other views need nothing but this page.")));
    return {};
  }
  const parsed = new DOMParser().parseFromString(a.svg, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg")
    throw new Refusal("graphviz drew something that is no picture.");
  const svg = cleanSvg(parsed);
  const place = el("div.graph", { id: "graph", tabindex: "0", "aria-label": "Call graph: drag to move, wheel to zoom" });
  place.append(svg);
  let view_;
  const button = (text, title, f) => el("button", { type: "button", title, onclick: f }, text);
  main.replaceChildren(el("div.row", null,
    el("span.dim", null, "A box is a function, its size what it costs itself; an arrow is a call. Drag to move, wheel to zoom."), el("span.grow"),
    button("+", "Larger", () => view_.zoom(1.3)), button("\u2212", "Smaller", () => view_.zoom(1 / 1.3)), button("Fit", "All of it", () => view_.fit())), place);
  view_ = movable(place, svg);
  return a;
}
