// Views, of which one is seen. What stands in them is Python's; here it is chosen, by pointer and by keys.
const TURNS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
const SCROLLS = new Set([...TURNS, "PageUp", "PageDown"]);
let made = 0;

function render({ model, el }) {
  const number = ++made;
  const tabs = document.createElement("div");
  const panel = document.createElement("div");
  const view = document.createElement("div");
  const cell = document.createElement("div");
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "Mistakes");
  panel.setAttribute("role", "tabpanel");
  panel.id = `vgglab-mistakes-${number}`;
  panel.tabIndex = 0; // so that it can be scrolled by keys
  cell.className = "vgglab-cell";
  cell.setAttribute("role", "status");
  panel.append(view, cell);
  el.classList.add("vgglab-mistakes");
  el.append(tabs, panel);

  let shown = ""; // what the browser makes of it is written otherwise

  const names = () => Object.keys(model.get("views"));
  const buttons = () => [...view.querySelectorAll("[data-cell] button")];
  const focused = () => el.getRootNode().activeElement;
  const placeOf = (button) => button.parentElement.dataset.cell;

  const look = (place) => {
    model.set("view", place);
    model.save_changes();
  };
  const choose = (button) => {
    const pressed = button.getAttribute("aria-pressed") === "true";
    model.set("chosen", pressed ? [] : placeOf(button).split(",").map(Number));
    model.save_changes();
  };

  const drawTabs = () => {
    names().forEach((name, place) => {
      const tab = tabs.children[place] ?? tabs.appendChild(document.createElement("button"));
      const selected = place === model.get("view");
      tab.type = "button";
      tab.id = `${panel.id}-${place}`;
      tab.textContent = name;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(selected));
      tab.setAttribute("aria-controls", panel.id);
      tab.tabIndex = selected ? 0 : -1;
      tab.onclick = () => look(place);
      if (selected) panel.setAttribute("aria-labelledby", tab.id);
    });
  };
  const drawCell = () => {
    const confusion = names()[model.get("view")] === "Confusion";
    const html = confusion ? model.get("cell") : "";
    panel.classList.toggle("vgglab-with-cell", confusion);
    if (shown !== html) cell.innerHTML = shown = html;
  };
  // Of all counts one is reached by Tab, the others from there by the arrows.
  const press = () => {
    const chosen = model.get("chosen").join(",");
    const all = buttons();
    for (const each of all) each.setAttribute("aria-pressed", String(placeOf(each) === chosen));
    const reached = all.find((each) => placeOf(each) === chosen) ?? all[0];
    for (const each of all) each.tabIndex = each === reached ? 0 : -1;
  };
  const drawView = () => {
    const active = focused();
    const before = view.contains(active) ? placeOf(active) : null;
    view.innerHTML = model.get("views")[names()[model.get("view")]] ?? "";
    for (const each of view.querySelectorAll("[data-cell]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = each.textContent;
      if (each.title) button.setAttribute("aria-label", each.title);
      button.onclick = () => choose(button);
      each.replaceChildren(button);
    }
    press();
    if (before) buttons().find((each) => placeOf(each) === before)?.focus({ preventScroll: true });
    drawCell();
  };
  const draw = () => {
    drawTabs();
    drawView();
  };
  model.on("change:views", draw);
  model.on("change:view", () => {
    panel.scrollTop = 0;
    draw();
  });
  model.on("change:chosen", press);
  model.on("change:cell", drawCell);
  draw();

  const turn = (event) => {
    const place = model.get("view");
    const last = names().length - 1;
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    look(to < 0 ? last : to > last ? 0 : to);
    tabs.children[model.get("view")].focus();
    event.preventDefault();
  };
  // The next count in the direction of an arrow; in a list all directions are up or down.
  const move = (event, from) => {
    const [row, column] = placeOf(from).split(",").map(Number);
    const all = buttons();
    const at = all.indexOf(from);
    const list = !view.querySelector("table");
    const inLine = (test) => all.filter((each) => test(...placeOf(each).split(",").map(Number)));
    const to = {
      Home: () => all[0],
      End: () => all.at(-1),
      ArrowLeft: () => (list ? all[at - 1] : inLine((r, c) => r === row && c < column).at(-1)),
      ArrowRight: () => (list ? all[at + 1] : inLine((r, c) => r === row && c > column)[0]),
      ArrowUp: () => (list ? all[at - 1] : inLine((r, c) => c === column && r < row).at(-1)),
      ArrowDown: () => (list ? all[at + 1] : inLine((r, c) => c === column && r > row)[0]),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = to();
    if (!next) return;
    for (const each of all) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  };
  el.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (tabs.contains(event.target)) turn(event);
    else if (buttons().includes(event.target)) move(event, event.target);
  });

  return keepKeys(el, (event) =>
    event.target === panel ? SCROLLS.has(event.key) : TURNS.has(event.key) || isPress(event),
  );
}
export default { render };
