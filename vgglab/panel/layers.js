// The bars of a network as one slider: the border between what is frozen and what learns is its place.
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

function made(name, parent, className = "") {
  const element = document.createElement(name);
  element.className = className;
  parent.append(element);
  return element;
}

function bars(slider, layers, convs) {
  slider.replaceChildren();
  let group, block;
  return layers.map((layer, place) => {
    if (layer.group !== group) {
      group = layer.group;
      const box = made("div", slider, "group");
      box.style.flexGrow = layers.filter((each) => each.group === group).length;
      block = made("div", box, "block");
      made("div", box, "name").textContent = group;
      if (layer.drift) {
        made("div", block, "drift").style.setProperty("--deep", layer.drift);
      }
    }
    const column = made("div", block, "layer");
    column.dataset.place = place;
    made("div", made("div", column, "up"), "bar").style.height = `${100 * layer.height}%`;
    const moved = made("div", made("div", column, "down"), "moved");
    moved.style.height = layer.moved ? `max(1px, ${100 * layer.moved}%)` : 0;
    column.classList.toggle("head", place >= convs);
    return column;
  });
}

function render({ model, el }) {
  el.classList.add("vgglab-layers");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "The network");
  const head = made("div", el, "title");
  made("b", head).textContent = "The network";
  const legend = made("span", head, "legend");
  for (const [kind, words] of [["frozen", "frozen"], ["learns", "learns"], ["moved", "moved"], ["drift", "features drifted"]]) {
    made("i", legend, kind).setAttribute("aria-hidden", "true");
    made("span", legend).textContent = words;
  }
  const freeze = made("button", head);
  freeze.type = "button";
  freeze.textContent = "freeze all";
  const slider = made("div", el, "picture");
  slider.setAttribute("role", "slider");
  slider.setAttribute("aria-label", "unfreeze depth on the network");
  slider.setAttribute("aria-valuemin", 0);
  const readout = made("div", el, "readout");
  const deepest = () => model.get("words").length - 1;
  let columns = [], pointed = null;
  let chosen = null; // here, which Python has not heard of yet: its number and its depth

  const shown = () => chosen?.depth ?? model.get("unfreeze");
  const choose = (depth) => {
    if (model.get("disabled")) return;
    chosen = { choice: Math.random(), depth: Math.min(Math.max(depth, 0), deepest()) };
    model.send({ unfreeze: chosen.depth, choice: chosen.choice });
    mark();
  };
  const learns = (place) => place >= deepest() - shown();
  const say = () => {
    const layer = pointed === null ? null : model.get("layers")[pointed];
    readout.textContent = layer
      ? `${layer.name} ${learns(pointed) ? "learns" : "is frozen"}. ${layer.says}`
      : `${model.get("words")[shown()]} ${model.get("summary")}`;
  };
  const mark = () => {
    const unfreeze = shown();
    const disabled = model.get("disabled");
    slider.setAttribute("aria-valuemax", deepest());
    slider.setAttribute("aria-valuenow", unfreeze);
    slider.setAttribute("aria-valuetext", model.get("words")[unfreeze] ?? "");
    slider.setAttribute("aria-disabled", String(disabled));
    slider.tabIndex = disabled ? -1 : 0;
    freeze.disabled = disabled;
    columns.forEach((column, place) => {
      column.classList.toggle("learns", learns(place));
      column.classList.toggle("border", place === deepest() - unfreeze);
    });
    say();
  };
  const draw = () => {
    columns = bars(slider, model.get("layers"), deepest());
    mark();
  };
  for (const trait of ["unfreeze", "disabled", "words", "summary"]) {
    model.on(`change:${trait}`, mark);
  }
  model.on("change:layers", draw);
  // Answers to earlier choices are passed over: the latest one is what the person sees.
  model.on("msg:custom", (said) => {
    if (said.heard !== chosen?.choice) return;
    chosen = null;
    mark();
  });
  draw();

  const under = (event) => {
    const column = event.target.closest(".layer");
    return column ? Number(column.dataset.place) : null;
  };
  slider.addEventListener("click", (event) => {
    const place = under(event);
    if (place === null) return;
    const depth = Math.max(deepest() - place, 0); // 0 at the head
    choose(depth === shown() ? depth - 1 : depth); // the lowest that learns: freeze it
  });
  slider.addEventListener("pointerover", (event) => {
    pointed = under(event);
    say();
  });
  slider.addEventListener("pointerleave", () => {
    pointed = null;
    say();
  });
  // Where each block begins, as a depth.
  const blocks = () => {
    const layers = model.get("layers").slice(0, deepest());
    const starts = layers.flatMap((layer, place) =>
      place && layer.group === layers[place - 1].group ? [] : [layers.length - place],
    );
    return [...starts, 0];
  };
  slider.addEventListener("keydown", (event) => {
    if (!KEYS.has(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = shown();
    event.preventDefault();
    choose(
      {
        ArrowUp: now + 1,
        ArrowLeft: now + 1, // where the border goes
        ArrowDown: now - 1,
        ArrowRight: now - 1,
        PageUp: Math.min(...blocks().filter((depth) => depth > now), deepest()),
        PageDown: Math.max(...blocks().filter((depth) => depth < now), 0),
        Home: 0,
        End: deepest(),
      }[event.key],
    );
  });
  freeze.addEventListener("click", () => choose(0));

  return keepKeys(el, (event) => (event.target === slider ? KEYS.has(event.key) : isPress(event)));
}
export default { render };
