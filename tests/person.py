"""What somebody does with the dashboard on a page, by the names and roles that they see."""

import itertools
import re
import time

from axe_playwright_python.sync_playwright import Axe

from conftest import SCREENSHOTS
from vgglab.experiment import FIELDS, Experiment
from vgglab.image_changes import AUGMENTATIONS
from vgglab.toggles import Strengths


class Person:
    """What somebody does with the dashboard on a page, by the names and roles that they see."""

    def __init__(self, page, where):
        self.page, self.where = page, where

    def look(self, what):
        self.page.screenshot(path=SCREENSHOTS / f"{self.where}-{what}.png")

    def button(self, name):
        # The icon before the words counts as a character of the name.
        return self.page.get_by_role("button", name=re.compile(rf"^\W*{name}$")).first

    def press(self, name):
        self.button(name).click()

    def choose(self, name):
        """One of a few words, as Simple or Full."""
        self.page.get_by_role("radio", name=name, exact=True).check(force=True)  # its label lies over it

    def slider(self, name):
        return self.page.get_by_role("slider", name=name, exact=True)

    def status(self):
        return self.page.locator(".vgglab-line").first.inner_text()

    def wait_for(self, text):
        self.page.locator(".vgglab-line", has_text=text).first.wait_for()

    def chart(self):
        return self.page.locator(".vgglab-picture svg").first.inner_html()

    def row(self, name):
        """The row of a run in the table."""
        return self.page.locator(".vgglab-run-table tbody tr").filter(
            has=self.page.locator("th", has_text=re.compile(rf"^{name}$"))
        )

    def cell(self, name, column):
        """What the table says of a run."""
        heads = [
            head.split(" ▲")[0] for head in self.page.locator(".vgglab-run-table thead th").all_inner_texts()
        ]
        return self.row(name).locator("> *").nth(heads.index(column)).inner_text()

    def shown(self):
        """What every control says, as a screen reader would, by the name of its field."""
        return {name: self._shown(toggle) for name, toggle in FIELDS.items()}

    def _shown(self, toggle):
        if isinstance(toggle, Strengths):
            switches = {
                name: self.page.get_by_role("switch", name=rule.label, exact=True)
                for name, rule in AUGMENTATIONS.items()
            }
            return {name: switch.is_checked() for name, switch in switches.items()}
        slider = self.page.get_by_role("slider", name=toggle.label, exact=True)
        if slider.count():
            return slider.get_attribute("aria-valuetext")
        return self.page.get_by_label(toggle.label, exact=True).input_value()

    def experiment(self):
        """What the Code tab says that it was made from: what would run."""
        code = self.page.locator("pre", has_text="Made from this experiment").first.inner_text()
        lines = code.partition("Made from this experiment")[2].splitlines()[1:]
        words = [line.lstrip("# ") for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
        text = " ".join(words)
        return eval(text[: text.rindex(")") + 1], {"Experiment": Experiment})

    def faults(self):
        """What axe-core finds serious in the dashboard."""
        found = Axe().run(self.page, context=".vgglab-dashboard").response["violations"]
        return [
            f"{each['id']}: {[node['html'][:200] for node in each['nodes']]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    def see_charts(self, count):
        """Wait until so many different charts have been on the page."""
        seen, deadline = set(), time.monotonic() + 60
        while len(seen) < count:
            assert time.monotonic() < deadline, "the chart is redrawn while it trains"
            seen.add(self.chart())
            self.page.wait_for_timeout(40)
