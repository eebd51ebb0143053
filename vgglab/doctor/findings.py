"""What the doctor found: findings, the images that each is about, and the list of those to leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from vgglab.doctor.pictures import Pictures, below
from vgglab.files import readable


@dataclass(frozen=True)
class Finding:
    """One thing that was found: what it is in a sentence, and the images that it is about.

    `groups`: numbers of images, those that belong together in one tuple; `notes`, one for each group, says what is
    known of it. `exclude`: for each image that may be left out, why; `look`: the same of those at which somebody should
    look first. `effect`: what it does to the accuracy of a probe, measured; "" where that was not or could not be.
    """

    kind: str
    sentence: str
    groups: tuple[tuple[int, ...], ...] = ()
    notes: tuple[str, ...] = ()
    exclude: Mapping[int, str] = field(default_factory=dict)
    look: Mapping[int, str] = field(default_factory=dict)
    effect: str = ""

    @property
    def images(self) -> list[int]:
        """All images that it is about, in their order."""
        return sorted({each for group in self.groups for each in group})

    @property
    def title(self) -> str:
        """Its kind as it begins a sentence."""
        return f"{self.kind[:1].upper()}{self.kind[1:]}"

    def __str__(self) -> str:
        return " ".join(filter(None, [f"{self.title}: {self.sentence}", self.effect]))


@dataclass(frozen=True, eq=False)
class Findings:
    """All that `check_images` found in a data set, what matters most first.

    `probe` says what measured the effects, and what so many images left no time to look for.

    It has the length of the list of findings, and gives them one after another. As text, a line each.
    """

    pictures: Pictures
    found: tuple[Finding, ...]
    probe: str = ""

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __getitem__(self, place: int) -> Finding:
        return self.found[place]

    def __str__(self) -> str:
        return "\n".join([self.summary, *(str(each) for each in self.found)])

    @property
    def summary(self) -> str:
        """How many images were looked at, and how many findings there are."""
        counted = f"{len(self.pictures):,} images of {len(self.pictures.data.class_names)} classes"
        if not self.found:
            return f"Nothing was found in {counted}. {self.probe}".rstrip()
        things = "1 finding" if len(self.found) == 1 else f"{len(self.found)} findings"
        return f"{things} in {counted}. {self.probe}".rstrip()

    def table(self) -> pd.DataFrame:
        """A row for each image of each finding: kind, group, file, part, class, note, and why it may be left out."""
        rows = []
        for finding in self.found:
            notes = finding.notes or ("",) * len(finding.groups)
            for number, (group, note) in enumerate(zip(finding.groups, notes), start=1):
                rows += [self._row(finding, number, image, note) for image in group]
        return pd.DataFrame(rows, columns=["kind", "group", "file", "part", "class", "note", "leave_out"])

    def _row(self, finding: Finding, number: int, image: int, note: str) -> tuple:
        pictures = self.pictures
        part = pictures.parts[pictures.part[image]]
        reason = finding.exclude.get(image) or finding.look.get(image, "")
        return (finding.kind, number, pictures.name(image), part, pictures.class_of(image), note, reason)

    def exclusions(self) -> str:
        """A list of files to leave out: one path a line, below the folder of the set, and why behind a #.

        What somebody should look at first stands behind a # as a whole, so that it is not left out as it is.
        """
        lines = [
            "# Images to leave out, one path a line, relative to the folder. Everything after a # is a comment.",
            "# Nothing is deleted. Look at the images in lines that begin with #, and remove the # to leave them out.",
        ]
        listed: set[int] = set()
        for mark in ("", "# "):
            for finding in self.found:
                for image, reason in sorted((finding.look if mark else finding.exclude).items()):
                    path = self.pictures.paths[image]
                    if path is not None and image not in listed:
                        listed.add(image)
                        lines += _lines(below(str(path), self.pictures.data.name), reason, mark)
        return "\n".join(lines) + "\n"


def _lines(path: str, reason: str, mark: str) -> list[str]:
    """The lines of a list that leave out a file; what no line of text can name is told in a comment."""
    reason = readable(reason)
    if path != readable(path) or path != path.strip():
        return [f"# {readable(path)!r} cannot be named in a list: {reason}"]
    if path.startswith("#"):
        path = f"./{path}"
    # A mark within the name would begin the comment.
    return [f"# {reason}", f"{mark}{path}"] if " #" in path else [f"{mark}{path}  # {reason}"]
