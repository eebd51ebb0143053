// Files that are dropped or chosen go to Python in slices; what Python says of them is shown below.
const SLICE = 2 ** 20; // bytes: servers refuse messages of ten times as many
let made = 0;

function render({ model, el }) {
  const id = `vgglab-drop-${++made}`;
  const place = document.createElement("div");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const hint = document.createElement("p");
  const status = document.createElement("p");
  const answers = document.createElement("div");
  input.type = "file";
  input.id = id;
  input.multiple = true;
  input.accept = "image/*";
  input.setAttribute("aria-describedby", `${id}-hint`);
  label.htmlFor = id;
  label.textContent = "Your photographs";
  hint.id = `${id}-hint`;
  const megabytes = Math.round(model.get("most_bytes") / 1e6);
  hint.textContent = `Choose them, or drop them here: up to ${model.get("most_files")}, of ${megabytes} MB each.`;
  status.setAttribute("role", "status");
  place.className = "vgglab-drop-place";
  answers.className = "vgglab-drop-answers";
  place.append(label, input, hint);
  el.classList.add("vgglab-drop");
  el.append(place, status, answers);

  const send = async (files) => {
    if (!files.length) return;
    const batch = `${Math.random()}`;
    const said = files.map(({ name, size }) => ({ name, size }));
    model.send({ kind: "begin", batch, files: said });
    for (const [number, file] of files.slice(0, model.get("most_files")).entries()) {
      if (file.size > model.get("most_bytes")) continue;
      try {
        for (let at = 0; at < file.size; at += SLICE) {
          const part = await file.slice(at, at + SLICE).arrayBuffer();
          model.send({ kind: "slice", batch, file: number }, undefined, [part]);
        }
      } catch {
        // A folder, or a file that is gone: Python sees that it is not whole.
      }
    }
    model.send({ kind: "end", batch });
  };
  input.addEventListener("change", () => {
    send([...input.files]);
    input.value = ""; // so that the same files can be chosen again
  });
  const over = (event) => {
    event.preventDefault(); // else the page would open the file
    event.stopPropagation();
    place.classList.toggle("vgglab-over", event.type === "dragover");
    if (event.type === "drop") send([...event.dataTransfer.files]);
  };
  for (const each of ["dragover", "dragleave", "drop"]) el.addEventListener(each, over);

  const draw = () => {
    status.textContent = model.get("status");
    answers.innerHTML = model.get("html");
  };
  model.on("change:status", draw);
  model.on("change:html", draw);
  draw();

  return keepKeys(el, isPress);
}
export default { render };
