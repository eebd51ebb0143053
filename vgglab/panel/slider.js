// A native slider over named places: the browser gives it its keys, and a screen reader its name and its value.
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

function render({ model, el }) {
  const name = document.createElement("span");
  const input = document.createElement("input");
  const readout = document.createElement("output");
  input.type = "range";
  input.min = 0;
  input.step = 1;
  el.classList.add("vgglab-slider");
  el.append(name, input, readout);

  const say = (place) => {
    const label = model.get("labels")[place] ?? "";
    readout.textContent = label;
    input.setAttribute("aria-valuetext", label);
  };
  const draw = () => {
    name.textContent = model.get("description");
    name.hidden = !model.get("description");
    el.title = model.get("tooltip");
    input.setAttribute("aria-label", model.get("description") || model.get("tooltip"));
    input.setAttribute("aria-description", model.get("description") ? model.get("tooltip") : "");
    input.max = Math.max(model.get("labels").length - 1, 0);
    input.value = model.get("index");
    input.disabled = model.get("disabled");
    say(model.get("index"));
  };
  input.addEventListener("input", () => say(Number(input.value)));
  input.addEventListener("change", () => {
    model.set("index", Number(input.value));
    model.save_changes();
  });
  for (const trait of ["description", "tooltip", "labels", "index", "disabled"]) {
    model.on(`change:${trait}`, draw);
  }
  draw();

  return keepKeys(el, (event) => event.target === input && KEYS.has(event.key));
}
export default { render };
