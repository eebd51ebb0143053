// What restores the settings: the page's address where Voilà serves it, else the code of a cell.
const SOON = 300; // milliseconds: a slider that moves writes one address, and browsers take only so many

// Without the token: whoever has that can run code as the person who started the server.
function address(code) {
  const url = new URL(window.location.href);
  url.hash = "";
  url.search = code;
  return url.href;
}

function render({ model, el }) {
  const field = document.createElement("input");
  const button = document.createElement("button");
  const said = document.createElement("span");
  const served = document.body.dataset.voila === "voila";
  const what = served ? "link" : "code";
  let writing;

  field.readOnly = true;
  field.setAttribute("aria-label", served ? "link to these settings" : "code that restores these settings");
  field.addEventListener("focus", () => field.select());
  button.type = "button";
  button.textContent = `Copy ${what}`;
  said.setAttribute("role", "status");
  el.classList.add("vgglab-link");
  el.append(field, button, said);

  const draw = () => {
    const problem = model.get("problem");
    field.value = problem ? "" : served ? address(model.get("code")) : model.get("cell");
    field.title = field.value;
    button.disabled = Boolean(problem);
    said.textContent = problem;
    clearTimeout(writing);
    if (served && !problem) {
      writing = setTimeout(() => window.history.replaceState(null, "", field.value), SOON);
    }
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied.";
    } catch {
      // There is no clipboard without https, except on this machine, and where the browser was told not to give it.
      field.focus();
      field.select();
      said.textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with Ctrl+C or ⌘C.";
    }
  });
  model.on("change:code", draw);
  model.on("change:problem", draw);
  draw();

  const letKeysGo = keepKeys(el, (event) =>
    event.target === field ? event.ctrlKey || event.metaKey : isPress(event),
  );
  return () => {
    clearTimeout(writing);
    letKeysGo();
  };
}
export default { render };
