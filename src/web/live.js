/* live.js - profiles taken from the running process that serves this page. */
"use strict";

function showLive(main) {
  main.replaceChildren(el("p.empty", null, "\u2026"));
}
