// JupyterLab would take some keys for itself. `isOwn` says of one that is pressed within `el` whether it is the widget's;
// all others, such as Shift+Enter, are still JupyterLab's. Returns what ends that.
function keepKeys(el, isOwn) {
  const keep = (event) => {
    if (el.contains(event.target)) {
      event.target.toggleAttribute("data-lm-suppress-shortcuts", isOwn(event));
    }
  };
  window.addEventListener("keydown", keep, true); // before JupyterLab, which listens at the document
  return () => window.removeEventListener("keydown", keep, true);
}

// Whether a key presses a button.
const isPress = (event) => (event.key === " " || event.key === "Enter") && !event.shiftKey && !event.ctrlKey;

