"""The colours of our widgets on the themes that JupyterLab has, by the formulas of WCAG 2.2."""

import re
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from vgglab.panel.styles import source

THEMES = Path(sys.prefix) / "share/jupyter/lab/themes/@jupyterlab"
NBCONVERT = Path(sys.prefix) / "share/jupyter/nbconvert/templates/lab/static"
PAGES = {
    "light": [THEMES / "theme-light-extension/index.css"],
    "dark": [THEMES / "theme-dark-extension/index.css"],
    "dark high contrast": [THEMES / "theme-dark-high-contrast-extension/index.css"],
    "served, light": [NBCONVERT / "index.css", NBCONVERT / "theme-light.css"],
    "served, dark": [NBCONVERT / "index.css", NBCONVERT / "theme-dark.css"],
    "none": [],
}
NAMED = dict(white="#fff", black="#000")


def variables(css):
    """What a style sheet sets for its root, the last rule last."""
    return dict(re.findall(r"(--[\w-]+):\s*([^;}]+)", css))


def parts(text):
    """What stands between commas that are in no brackets."""
    return [part.strip() for part in re.split(r",(?![^()]*(?:\([^()]*\)[^()]*)*\))", text)]


def colour(text, known):
    """Red, green, blue and alpha, 0 to 1, of the ways in which the themes and we write a colour."""
    text = text.strip()
    if text.startswith("var("):
        name, *otherwise = text[4:-1].split(",", 1)
        return colour(known.get(name.strip()) or otherwise[0], known)
    if text.startswith("color-mix("):
        space, first, second = parts(text[len("color-mix(") : -1])
        assert space == "in srgb"
        first, share = first.rsplit(" ", 1)
        share = float(share.rstrip("%")) / 100
        return [share * a + (1 - share) * b for a, b in zip(colour(first, known), colour(second, known))]
    if text.startswith("rgb"):
        red, green, blue, *alpha = map(float, text[text.index("(") + 1 : -1].split(","))
        return [red / 255, green / 255, blue / 255, *(alpha or [1.0])]
    text = NAMED.get(text, text).lstrip("#")
    text = "".join(2 * digit for digit in text) if len(text) == 3 else text
    return [int(text[place : place + 2], 16) / 255 for place in (0, 2, 4)] + [1.0]


def seen(name, ground, known):
    """A colour as it is seen on a ground."""
    *over, alpha = colour(name, known)
    under = colour(ground, known)
    return [alpha * a + (1 - alpha) * b for a, b in zip(over, under)]


def luminance(rgb):
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in rgb]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(first, second):
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def ours(*media):
    """Our variables where the theme's are known: those for everybody, and then those of what the person prefers."""
    everybody, *preferred = re.split(r"@media", source("theme.css"))
    chosen = [each for each in preferred if any(each.strip().startswith(f"({name}") for name in media)]
    assert len(chosen) == len(media)
    return {name: value for part in [everybody, *chosen] for name, value in variables(part).items()}


def test_the_formula_gives_what_is_known():
    assert contrast([1, 1, 1], [0, 0, 0]) == pytest.approx(21)
    assert contrast(colour("#777", {})[:3], [1, 1, 1]) == pytest.approx(4.48, abs=0.005)  # WebAIM's example
    assert colour("color-mix(in srgb, var(--a, rgba(0,0,0,1)) 25%, white)", {}) == pytest.approx(
        [0.75, 0.75, 0.75, 1]
    )


@pytest.mark.parametrize("theme", PAGES)
@pytest.mark.parametrize(
    ("media", "of_text", "of_graphics"), [((), 4.5, 3), (("prefers-contrast: more",), 7, 3)]
)
def test_text_and_graphics_stand_out_on_every_theme(theme, media, of_text, of_graphics):
    known = variables("".join(sheet.read_text() for sheet in PAGES[theme])) | ours(*media)
    faint = []
    for ground in ("var(--vgglab-ground)", "var(--vgglab-raised)"):
        under = seen(ground, ground, known)
        for name, least in dict(text=of_text, quiet=of_text, line=of_graphics, accent=of_graphics).items():
            found = contrast(seen(f"var(--vgglab-{name})", ground, known), under)
            if found < least:
                faint.append(f"{name} on {ground}: {found:.2f}")
    on_accent = contrast([1, 1, 1], colour("var(--vgglab-accent)", known)[:3])
    assert not faint and on_accent >= 4.5, (faint, on_accent)


def test_where_the_system_has_colours_of_its_own_ours_are_those():
    system = {"Canvas", "CanvasText", "Highlight"}
    forced = ours("forced-colors: active")
    assert {forced[name] for name in forced if name != "--vgglab-font"} == system


def test_no_text_of_ours_is_small():
    small = re.compile(r"font(?:-size)?:[^;]*?\b(\d+(?:\.\d+)?)px")
    sheets = [*(ROOT / "vgglab/panel").glob("*.css"), *(ROOT / "vgglab/serving").rglob("*.css")]
    found = {sheet.name: [float(size) for size in small.findall(sheet.read_text())] for sheet in sheets}
    assert found["page.css"] and found["inputs.css"]
    assert not {name: sizes for name, sizes in found.items() if any(size < 12 for size in sizes)}
