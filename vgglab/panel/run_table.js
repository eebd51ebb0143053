// The runs as a grid: one stop of the Tab key, within which the arrows go from row to row and from item to item.
const SVG = "http://www.w3.org/2000/svg";

function made(tag, attributes = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
}

// The line of the run on the chart; an empty frame where it has none.
function swatch(row) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, row.look ? "line" : "circle");
  const drawn = row.look
    ? { x1: 0, y1: 6, x2: 20, y2: 6, stroke: row.look.colour, "stroke-width": 3, "stroke-dasharray": row.look.dash }
    : { cx: 10, cy: 6, r: 3, fill: "none", stroke: "currentColor" };
  for (const [name, value] of Object.entries({ width: 20, height: 12, "aria-hidden": "true" })) {
    svg.setAttribute(name, value);
  }
  for (const [name, value] of Object.entries(drawn)) {
    line.setAttribute(name, value);
  }
  svg.append(line);
  return svg;
}

function render({ model, el }) {
  el.classList.add("vgglab-run-table");
  const table = made("table", { role: "grid", "aria-label": "Runs", "aria-multiselectable": "true" });
  const nothing = made("p", {}, "No runs yet. Train one, and it stands here.");
  el.append(table, nothing);
  let editing = false; // in place; the table is not drawn anew meanwhile
  let at = { run: null, item: 0 }; // where the Tab key enters; no run is the head
  let drawn = []; // the names of the rows
  let anchor = null; // where a range of chosen rows begins

  const tell = (deed, run, text = "") => model.send({ do: deed, run, text });
  const choose = (names) => {
    model.set("chosen", names);
    model.save_changes();
  };
  const chooseRow = (name, { one = false, range = false } = {}) => {
    const chosen = model.get("chosen");
    const names = model.get("rows").map((row) => row.name);
    if (range && names.includes(anchor)) {
      const [from, to] = [names.indexOf(anchor), names.indexOf(name)].sort((a, b) => a - b);
      choose(names.slice(from, to + 1));
      return;
    }
    anchor = name;
    if (one) {
      choose(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
    } else {
      choose(chosen.length === 1 && chosen[0] === name ? [] : [name]);
    }
  };

  // Put a field in the place of a text; Enter and leaving it keep what was written, Escape what was before.
  const edit = (node, deed, name, text, label) => {
    const input = made("input", { "aria-label": label, "data-lm-suppress-shortcuts": "true" });
    input.value = text;
    editing = true;
    node.replaceWith(input);
    input.select();
    input.focus();
    const end = (keep, stay) => {
      if (!editing) return;
      editing = false;
      if (keep && input.value.trim() !== text) {
        tell(deed, name, input.value.trim());
      }
      draw();
      if (stay) focus();
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        end(event.key === "Enter", true);
      }
    });
    input.addEventListener("blur", () => end(true, false));
  };

  const toggle = (row, deed, pressed, label, title, ...inside) => {
    const kind = deed === "A" || deed === "B" ? "letter" : deed;
    const attributes = { type: "button", class: kind, "aria-pressed": String(pressed), "aria-label": label, title };
    const button = made("button", attributes, ...inside);
    button.addEventListener("click", () => tell(deed, row.name));
    return button;
  };
  const tools = (row) => {
    const seen = row.look ? "Hide on the chart" : "Show on the chart";
    const buttons = [
      toggle(row, "show", Boolean(row.look), `${row.label} on the chart`, seen, swatch(row)),
      toggle(row, "pin", row.pinned, `pin ${row.label}`, "Keep on top and on the chart", row.pinned ? "★" : "☆"),
    ];
    for (const letter of ["A", "B"]) {
      const has = row.letter === letter;
      const counted = has && row.sibling;
      const title = counted ? `Counts to ${letter} with another seed` : `Compare as ${letter}`;
      const label = `${row.label} as ${letter}${counted ? `, counts to ${letter} with another seed` : ""}`;
      const button = toggle(row, letter, has && !row.sibling, label, title, letter);
      button.classList.toggle("sibling", counted);
      buttons.push(button);
    }
    return made("td", { class: "tools" }, ...buttons);
  };

  const line = (row) => {
    const chosen = model.get("chosen").includes(row.name);
    const tr = made("tr", { "aria-selected": String(chosen) });
    const name = made("span", { class: "item", title: row.label }, row.label);
    const head = made("th", { scope: "row", class: "name" }, name);
    tr.append(tools(row), head);
    const columns = model.get("columns").filter(({ name }) => name !== "run" && name !== "note");
    columns.forEach(({ number }, place) => {
      const text = row.cells[place];
      tr.append(made("td", number ? { class: "number" } : { title: text }, text));
    });
    const title = row.note || "Add a note to this run";
    const label = row.note ? `note on ${row.label}: ${row.note}` : `add a note on ${row.label}`;
    const note = made("button", { type: "button", class: "write", title, "aria-label": label }, row.note || "add a note");
    note.classList.toggle("written", Boolean(row.note));
    note.addEventListener("click", () => edit(note, "note", row.name, row.note, `note on ${row.label}`));
    tr.append(made("td", {}, note));
    tr.addEventListener("click", (event) => {
      if (event.target.closest("button, input") || event.detail > 1) return;
      chooseRow(row.name, { one: event.ctrlKey || event.metaKey, range: event.shiftKey });
      at = { run: row.name, item: items(rowOf(row.name)).findIndex((each) => each.classList.contains("item")) };
      enter();
      focus();
    });
    tr.dataset.run = row.name;
    return tr;
  };
  const rename = (row) => {
    const name = rowOf(row.name).querySelector(".name .item");
    edit(name, "name", row.name, row.name, `new name of ${row.label}`);
  };

  const heading = ({ name, number }) => {
    const [sorted, downwards] = model.get("order");
    const is = sorted === name;
    const button = made("button", { type: "button" }, name);
    if (is) button.append(made("span", { class: "mark", "aria-hidden": "true" }, downwards ? " ▼" : " ▲"));
    button.title = is && downwards ? "Newest first again" : `Sort by ${name}`;
    button.addEventListener("click", () => {
      model.set("order", !is ? [name, false] : downwards ? [] : [name, true]);
      model.save_changes();
    });
    const th = made("th", { scope: "col", class: name === "run" ? "name" : number ? "number" : "" }, button);
    if (is) th.setAttribute("aria-sort", downwards ? "descending" : "ascending");
    return th;
  };

  const rowOf = (name) => [...table.querySelectorAll("tr")].find((tr) => (tr.dataset.run ?? null) === name);
  const items = (tr) => [...tr.querySelectorAll("button, .item")];
  const place = () => {
    const tr = rowOf(at.run) ?? table.querySelector("tr");
    const all = tr ? items(tr) : [];
    return all[Math.min(at.item, all.length - 1)];
  };
  const focus = () => place()?.focus();
  const enter = () => {
    for (const each of table.querySelectorAll("button, .item")) each.tabIndex = -1;
    if (place()) place().tabIndex = 0;
  };

  const draw = () => {
    if (editing) return;
    const held = el.contains(el.getRootNode().activeElement);
    const rows = model.get("rows");
    table.hidden = !rows.length;
    nothing.hidden = Boolean(rows.length);
    const corner = made("th", { scope: "col", class: "tools" }, made("span", { class: "unseen" }, "on the chart"));
    const head = made("thead", {}, made("tr", {}, corner, ...model.get("columns").map(heading)));
    table.replaceChildren(head, made("tbody", {}, ...rows.map(line)));
    // Where a run has another name or is gone, whatever has its place now.
    const names = rows.map((row) => row.name);
    if (at.run !== null && !names.includes(at.run)) at.run = names[Math.min(drawn.indexOf(at.run), names.length - 1)] ?? null;
    drawn = names;
    enter();
    if (held) focus();
  };

  const drawChosen = () => {
    for (const tr of table.querySelectorAll("tbody tr")) {
      tr.setAttribute("aria-selected", String(model.get("chosen").includes(tr.dataset.run)));
    }
  };
  const DRAWN = { columns: draw, rows: draw, order: draw, chosen: drawChosen };

  const KEYS = {
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    ArrowLeft: () => (at.item = Math.max(at.item - 1, 0)),
    ArrowRight: () => (at.item = Math.min(at.item + 1, items(rowOf(at.run)).length - 1)),
    Home: () => (at.run = model.get("rows")[0]?.name ?? null),
    End: () => (at.run = model.get("rows").at(-1)?.name ?? null),
  };
  const step = (by) => {
    const names = [null, ...model.get("rows").map((row) => row.name)];
    at.run = names[Math.min(Math.max(names.indexOf(at.run) + by, 0), names.length - 1)];
  };
  table.addEventListener("focusin", (event) => {
    const tr = event.target.closest("tr");
    if (event.target.tagName === "INPUT" || !tr) return;
    at = { run: tr.dataset.run ?? null, item: items(tr).indexOf(event.target) };
    enter();
  });
  table.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = model.get("rows").find(({ name }) => name === at.run);
    const onName = event.target.classList.contains("item");
    if (event.key in KEYS) {
      KEYS[event.key]();
      focus();
    } else if (row && event.key === "F2") {
      rename(row);
    } else if (onName && (event.key === "Enter" || event.key === " ")) {
      chooseRow(row.name, { one: event.key === " ", range: event.shiftKey });
    } else {
      return;
    }
    event.preventDefault();
  });
  // At the table: the row may have been drawn anew between the two clicks.
  table.addEventListener("dblclick", (event) => {
    const row = model.get("rows").find(({ name }) => name === event.target.closest("tr")?.dataset.run);
    if (row && event.target.closest(".name") && event.target.tagName !== "INPUT") rename(row);
  });
  for (const [trait, follow] of Object.entries(DRAWN)) {
    model.on(`change:${trait}`, follow);
  }
  draw();

  const OURS = new Set([...Object.keys(KEYS), "Enter", " ", "F2"]);
  const letKeysGo = keepKeys(el, (event) =>
    event.target.tagName === "INPUT" || (OURS.has(event.key) && !event.ctrlKey),
  );
  return () => {
    letKeysGo();
    for (const [trait, follow] of Object.entries(DRAWN)) {
      model.off(`change:${trait}`, follow);
    }
  };
}
export default { render };
