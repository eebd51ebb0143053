// A switch and a native slider in each row: the browser gives them their keys, and a screen reader name and value.
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);
const PAUSE = 80; // ms between two places that are sent while a slider is dragged

function made(name, parent, attributes = {}) {
  const element = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  parent.append(element);
  return element;
}

function row(parent, set) {
  const box = made("div", parent, { class: "row" });
  const label = made("label", box);
  const input = made("input", label, { type: "checkbox", role: "switch" });
  const name = made("span", label);
  const slider = made("input", box, { type: "range", min: 0, step: 1 });
  const readout = made("output", box);
  let words, sent = 0, timer;

  const say = (place) => {
    readout.textContent = words.written[place] ?? "";
    readout.title = words.said[place] ?? "";
    slider.setAttribute("aria-valuetext", words.said[place] ?? "");
  };
  const send = (on) => {
    clearTimeout(timer);
    timer = undefined;
    sent = Date.now();
    set([on, Number(slider.value)]);
  };
  const moved = () => {
    input.checked = true; // to move one that is off switches it on
    send(true);
  };
  input.addEventListener("change", () => send(input.checked));
  slider.addEventListener("input", () => {
    say(Number(slider.value));
    input.checked = true;
    box.classList.add("on");
    timer ??= setTimeout(moved, Math.max(0, sent + PAUSE - Date.now()));
  });
  slider.addEventListener("change", moved);
  const draw = (of, [on, place], disabled) => {
    if (timer !== undefined) return; // what the pointer says now is newer
    words = of;
    name.textContent = words.label;
    slider.setAttribute("aria-label", `${words.label} strength`);
    slider.max = words.written.length - 1;
    slider.value = place;
    slider.hidden = words.written.length === 1;
    input.checked = on;
    input.disabled = slider.disabled = disabled;
    box.classList.toggle("on", on);
    say(place);
  };
  return { draw, slider, input, stop: () => clearTimeout(timer) };
}

function render({ model, el }) {
  el.classList.add("vgglab-strengths");
  el.setAttribute("role", "group");
  const rows = model.get("rows").map((_, place) =>
    row(el, (state) => {
      model.set("states", model.get("states").map((each, at) => (at === place ? state : each)));
      model.save_changes();
    }),
  );
  const draw = () => {
    el.setAttribute("aria-label", model.get("description"));
    el.title = model.get("tooltip");
    rows.forEach((each, place) =>
      each.draw(model.get("rows")[place], model.get("states")[place], model.get("disabled")),
    );
  };
  for (const trait of ["description", "tooltip", "rows", "states", "disabled"]) {
    model.on(`change:${trait}`, draw);
  }
  draw();

  const letKeysGo = keepKeys(el, (event) => {
    const moves = rows.some(({ slider }) => slider === event.target) && KEYS.has(event.key);
    return moves || (rows.some(({ input }) => input === event.target) && event.key === " ");
  });
  return () => {
    letKeysGo();
    rows.forEach((each) => each.stop());
  };
}
export default { render };
