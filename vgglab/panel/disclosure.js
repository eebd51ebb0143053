// A heading that opens and closes what stands under it.
function render({ model, el }) {
  el.classList.add("vgglab-disclosure");
  const button = document.createElement("button");
  button.type = "button";
  el.append(button);
  button.addEventListener("click", () => {
    model.set("is_open", !model.get("is_open"));
    model.save_changes();
  });
  const draw = () => {
    button.textContent = model.get("description");
    button.setAttribute("aria-expanded", String(model.get("is_open")));
  };
  model.on("change:description", draw);
  model.on("change:is_open", draw);
  draw();

  return keepKeys(el, isPress);
}
export default { render };
