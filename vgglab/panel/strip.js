// A row of pictures with what they are, and two buttons that ask for others.
const PLACES = 6; // the original, four draws, a mix

function made(name, parent, className = "") {
  const element = document.createElement(name);
  element.className = className;
  parent.append(element);
  return element;
}

function figure(row) {
  const box = made("figure", row);
  const picture = made("img", box);
  const caption = made("figcaption", box);
  const when = made("div", caption);
  const bar = made("div", caption, "bar");
  const label = made("div", caption, "label");
  bar.setAttribute("aria-hidden", "true");
  const draw = (tile) => {
    box.style.visibility = tile ? "visible" : "hidden"; // the place stays
    picture.src = tile?.source ?? "data:,";
    picture.alt = tile?.alt ?? "";
    when.textContent = when.title = tile?.caption ?? "";
    const shares = tile?.shares ?? [];
    bar.replaceChildren(
      ...shares.map(([, percent]) => {
        const part = document.createElement("span");
        part.style.flexGrow = percent;
        return part;
      }),
    );
    label.replaceChildren(
      ...shares.map(([name, percent]) => {
        const line = document.createElement("div");
        line.textContent = line.title = `${percent} % ${name}`;
        return line;
      }),
    );
  };
  return draw;
}

function render({ model, el }) {
  el.classList.add("vgglab-strip");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "What it trains on");
  const head = made("div", el, "head");
  made("b", head).textContent = "What it trains on";
  const buttons = [
    ["another image", () => model.set("image", model.get("image") + 1)],
    ["draw again", () => model.set("first", model.get("first") + model.get("draws"))],
  ].map(([name, move]) => {
    const button = made("button", head);
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => {
      move();
      model.save_changes();
    });
    return button;
  });
  const row = made("div", el, "row");
  const figures = Array.from({ length: PLACES }, () => figure(row));
  const note = made("div", el, "note");

  const draw = () => {
    const { tiles, note: words } = model.get("contents");
    figures.forEach((show, place) => show(tiles[place]));
    note.textContent = words;
  };
  model.on("change:contents", draw);
  draw();

  return keepKeys(el, isPress);
}
export default { render };
