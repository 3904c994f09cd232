"use strict";
for (const grid of document.querySelectorAll(".grid")) {
  const body = grid.querySelector("tbody");
  const heads = [...grid.querySelectorAll("th")];
  const keyOf = (row, place) => {
    const cell = row.cells[place];
    const key = cell.dataset.sort ?? (cell.classList.contains("number") ? "" : cell.textContent.trim());
    return key !== "" && !Number.isNaN(Number(key)) ? Number(key) : key.toLowerCase();
  };
  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b);
  };
  heads.forEach((head, place) => {
    head.querySelector("button").addEventListener("click", () => {
      const numbers = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : numbers; // of numbers the largest are wanted first
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [keyOf(row, place), row]);
      // What has no value stands last, whichever way the rest is turned.
      rows.sort(([a], [b]) => (a === "") - (b === "") || (down ? order(b, a) : order(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  });
  const field = grid.querySelector("input[type=search]");
  const told = grid.querySelector("output");
  field?.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    const all = body.rows.length.toLocaleString("en");
    told.textContent = words.length ? `${shown.toLocaleString("en")} of ${all} rows` : `${all} rows`;
  });
}
