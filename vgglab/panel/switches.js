// Buttons that are pressed or not, each by itself, as a screen reader says them.
function render({ model, el }) {
  el.classList.add("vgglab-switches");
  el.setAttribute("role", "group");
  const buttons = model.get("names").map((name, place) => {
    const button = document.createElement("button");
    button.type = "button";
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

  // JupyterLab would take these keys for itself; all others, such as Shift+Enter, are still its own.
  const keep = (event) => {
    if (buttons.includes(event.target)) {
      const presses = (event.key === " " || event.key === "Enter") && !event.shiftKey && !event.ctrlKey;
      event.target.toggleAttribute("data-lm-suppress-shortcuts", presses);
    }
  };
  window.addEventListener("keydown", keep, true); // before JupyterLab, which listens at the document
  return () => window.removeEventListener("keydown", keep, true);
}
export default { render };
