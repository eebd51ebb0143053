// A picture, and over it a line that goes to the nearest reading. The picture may be drawn anew at any time: the line
// and its box are not part of it, and stay with the reading that they are at.
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
const KEYS = new Set([...Object.keys(STEPS), "Home", "End", "Escape"]);

function render({ model, el }) {
  const make = (name) => {
    const part = document.createElement("div");
    part.className = `vgglab-picture-${name}`;
    return part;
  };
  const [held, over, line, box] = ["held", "over", "line", "box"].map(make);
  el.classList.add("vgglab-picture");
  el.append(held, over, line, box);
  // A slider is what a screen reader lets the arrow keys through to, and whose value it reads out as it changes.
  over.setAttribute("role", "slider");
  over.tabIndex = 0;
  box.setAttribute("aria-hidden", "true"); // the slider says the same

  let at = null; // the first line of the reading that is shown
  let pointer = null; // the pointer's x on the page while it is over the picture

  const readings = () => model.get("readings");
  const place = () => Math.max(0, readings().findIndex((each) => each.lines[0] === at));
  const matrix = () => held.querySelector("svg")?.getScreenCTM();
  const nearest = () => {
    const to = matrix();
    if (!to) {
      return null;
    }
    const x = (pointer - to.e) / to.a;
    let best = null;
    for (const each of readings()) {
      if (best === null || Math.abs(each.x - x) < Math.abs(best.x - x)) {
        best = each;
      }
    }
    return best;
  };

  const show = () => {
    if (pointer !== null) {
      at = nearest()?.lines[0] ?? null;
    }
    const all = readings();
    over.hidden = !all.length;
    const found = all.find((each) => each.lines[0] === at) ?? null;
    const last = all.at(-1);
    over.setAttribute("aria-label", model.get("description"));
    over.setAttribute("aria-valuemin", 0);
    over.setAttribute("aria-valuemax", Math.max(0, all.length - 1));
    over.setAttribute("aria-valuenow", found ? all.indexOf(found) : Math.max(0, all.length - 1));
    over.setAttribute("aria-valuetext", ((found ?? last)?.lines ?? []).join("; "));
    const to = matrix();
    line.hidden = box.hidden = !found || !to;
    if (line.hidden) {
      return;
    }
    const text = found.lines.join("\n");
    if (box.textContent !== text) {
      box.textContent = text;
    }
    const frame = el.getBoundingClientRect();
    const x = to.a * found.x + to.e - frame.left;
    const wide = box.offsetWidth;
    line.style.transform = `translateX(${x}px)`;
    const right = x + 10 + wide <= frame.width ? x + 10 : x - 10 - wide;
    // At the bottom: high up are the accuracies that everybody looks for.
    const left = Math.max(0, Math.min(right, frame.width - wide));
    box.style.transform = `translate(${left}px, ${Math.max(0, frame.height - box.offsetHeight - 4)}px)`;
  };
  const draw = () => {
    held.innerHTML = model.get("svg");
    show();
  };

  const point = (event) => {
    pointer = event.clientX;
    show();
  };
  over.addEventListener("pointermove", point);
  over.addEventListener("pointerdown", point);
  over.addEventListener("pointerleave", (event) => {
    pointer = null;
    if (event.pointerType === "mouse") {
      at = null; // a finger leaves the picture whenever it is lifted
    }
    show();
  });
  over.addEventListener("focus", () => {
    if (pointer === null && at === null) {
      at = readings().at(-1)?.lines[0] ?? null;
      show();
    }
  });
  over.addEventListener("blur", () => {
    at = null;
    show();
  });
  over.addEventListener("keydown", (event) => {
    const all = readings();
    if (!KEYS.has(event.key) || event.ctrlKey || event.altKey || event.metaKey || !all.length) {
      return;
    }
    event.preventDefault();
    pointer = null;
    if (event.key === "Escape") {
      at = null;
    } else {
      const now = at === null ? all.length - 1 : place();
      const next = { Home: 0, End: all.length - 1 }[event.key] ?? now + STEPS[event.key];
      at = all[Math.min(Math.max(next, 0), all.length - 1)].lines[0];
    }
    show();
  });

  model.on("change:svg", draw);
  model.on("change:readings", show);
  model.on("change:description", show);
  draw();

  // The size of the place, once it has rested. Rounded down, so that a picture is never shown smaller than drawn.
  let waiting = 0;
  const report = () => {
    const [width, height] = [el.clientWidth, el.clientHeight].map((each) => Math.floor(each / 10) * 10);
    if (width && height && (width !== model.get("width") || height !== model.get("height"))) {
      model.set({ width, height });
      model.save_changes();
    }
    show();
  };
  const observer = new ResizeObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(report, 150);
  });
  observer.observe(el);

  const letKeysGo = keepKeys(el, (event) => KEYS.has(event.key));
  return () => {
    letKeysGo();
    clearTimeout(waiting);
    observer.disconnect();
    model.off("change:svg", draw);
    model.off("change:readings", show);
    model.off("change:description", show);
  };
}
export default { render };
