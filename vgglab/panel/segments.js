// One of a few words, as radio buttons: the browser gives them their keys, and a screen reader their names.
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", " "]);

function render({ model, el }) {
  const group = `vgglab-segments-${Math.random()}`; // of this one alone: two on a page must not share a choice
  el.classList.add("vgglab-segments");
  el.setAttribute("role", "radiogroup");
  const inputs = model.get("names").map((name, place) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = group;
    input.addEventListener("change", () => {
      model.set("index", place);
      model.save_changes();
    });
    label.append(input, name);
    label.title = model.get("tooltips")[place] ?? "";
    el.append(label);
    return input;
  });
  const draw = () => {
    el.setAttribute("aria-label", model.get("description"));
    inputs.forEach((input, place) => {
      input.checked = place === model.get("index");
      input.disabled = model.get("disabled");
    });
  };
  for (const trait of ["description", "index", "disabled"]) {
    model.on(`change:${trait}`, draw);
  }
  draw();

  return keepKeys(el, (event) => KEYS.has(event.key) && !event.shiftKey);
}
export default { render };
