// Buttons that are pressed or not, each by itself, as a screen reader says them.
function render({ model, el }) {
  el.classList.add("vgglab-switches");
  el.setAttribute("role", "group");
  const buttons = model.get("names").map((name, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes the space bar for itself
    button.addEventListener("click", () => {
      const pressed = [...model.get("pressed")];
      pressed[place] = !pressed[place];
      model.set("pressed", pressed);
      model.save_changes();
    });
    return button;
  });
  el.append(...buttons);

  const draw = () => {
    el.setAttribute("aria-label", model.get("description"));
    buttons.forEach((button, place) => {
      const label = model.get("names")[place];
      const pressed = model.get("pressed")[place];
      button.textContent = `${pressed ? "✓ " : ""}${label}`;
      button.setAttribute("aria-label", label);
      button.setAttribute("aria-pressed", String(pressed));
      button.title = model.get("tooltips")[place];
      button.disabled = model.get("disabled");
    });
  };
  for (const trait of ["description", "tooltips", "pressed", "disabled"]) {
    model.on(`change:${trait}`, draw);
  }
  draw();
}
export default { render };
