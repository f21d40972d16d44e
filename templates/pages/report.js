"use strict";
// The page says everything without this script. It only adds to each list of
// groups a field to filter by, a choice of class, and heads to sort by.
for (const list of document.querySelectorAll("table.list")) {
  const body = list.tBodies[0];
  const rows = [...body.rows];
  if (rows.length < 2) continue;
  const article = new Map(rows.map((row) => [row, document.getElementById(row.cells[0].querySelector("a").hash.slice(1))]));
  const text = new Map(rows.map((row) => [row, ""]));
  for (const row of rows) text.set(row, (row.textContent + " " + (article.get(row)?.textContent ?? "")).toLowerCase());

  const tools = document.createElement("div");
  tools.className = "tools";
  const field = document.createElement("input");
  field.type = "search";
  field.id = list.id + "-filter";
  field.autocomplete = "off";
  field.placeholder = "key, id, name …";
  const label = document.createElement("label");
  label.htmlFor = field.id;
  label.textContent = "Only groups with";
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "Only groups of a class");
  const classes = [...new Set(rows.map((row) => row.dataset.class))];
  for (const name of ["", ...classes]) choice.add(new Option(name || "all classes", name));
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  tools.append(label, field, choice, status);
  list.closest(".scroll").before(tools);

  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = (!choice.value || row.dataset.class === choice.value) && words.every((word) => text.get(row).includes(word));
      row.hidden = !fits;
      const other = article.get(row);
      if (other) other.hidden = !fits;
      if (fits) shown++;
    }
    status.textContent = shown === rows.length ? "" : shown + " of the " + rows.length + " groups on this page";
  };
  let waiting;
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
  choice.addEventListener("change", filter);

  const heads = [...list.tHead.rows[0].cells];
  const value = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const x = Number(a.replaceAll(",", "")), y = Number(b.replaceAll(",", ""));
    if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    return a === "" ? 1 : b === "" ? -1 : a < b ? -1 : a > b ? 1 : 0;
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = rows.map((row, place) => ({ row, place, key: value(row, column) }));
      sorted.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key) || a.place - b.place);
      body.append(...sorted.map((entry) => entry.row));
    });
  });
}
