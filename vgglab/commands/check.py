"""The command `vgglab check`: what is wrong with a folder of images, before anything is trained on it."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import expanded, readable, write_whole
from vgglab.image_bar import ImageBar

FOUND = 1  # the exit code where there are findings
NAMED = 12  # groups of a finding that are named on the terminal
# What says how images are read and which network looks at them; the folder is an argument of its own.
ASKED = tuple(
    name
    for name, toggle in FIELDS.items()
    if name != "dataset" and (toggle.loads or name in ("seed", "backbone", "weights"))
)


def add_check(commands: Any, add_flag: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """Add the command to the others; `add_flag` adds the option of a field of `Experiment`."""
    parser = commands.add_parser(
        "check",
        help="look for copies, wrong labels, shortcuts and bad images in a folder",
        description="Look for what makes the accuracy on a folder misleading: copies within and across the split, "
        "copies under two labels, probable label errors, unequal classes, shortcuts, groups on both sides, and blank, "
        "dark, blurred, tiny or odd-shaped images. Nothing is changed or deleted.",
        epilog="Ends with 0 when nothing was found, with 1 when there are findings, and with 2 after an error.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_check)
    parser.add_argument("folder", metavar="FOLDER", help="the image folder, or 'blossoms'")
    parser.add_argument(
        "--write-exclude",
        type=Path,
        metavar="FILE",
        help="write a list of the images that may be left out, one path a line and why; of two copies it has the one "
        "in train, and what you should look at first is commented out with #",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE.html", help="write a page with pictures of what was found"
    )
    for name in ASKED:
        add_flag(parser, name)


def _check(options: argparse.Namespace, rest: list[str]) -> int:
    given = {name: getattr(options, name) for name in ASKED if hasattr(options, name)}
    page, listed = (
        options.html and expanded(options.html),
        options.write_exclude and expanded(options.write_exclude),
    )
    if page and page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"`--html` must be a file whose name ends in .html. Received: {readable(page)}.")
    for name, path in (("--html", page), ("--write-exclude", listed)):
        if path and (path.is_dir() or not path.parent.is_dir()):
            raise InputError(f"`{name}` must be a file in a folder that exists. Received: {readable(path)}.")
    if page and page == listed:
        raise InputError(
            f"`--html` and `--write-exclude` must be two files. Received twice: {readable(page)}."
        )
    return _report(Experiment(dataset=options.folder, **given), page, listed)


def _report(experiment: Experiment, page: Path | None, listed: Path | None) -> int:
    from vgglab.datasets import load_for
    from vgglab.doctor.check import check_images

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ImageBar(Console(stderr=True)) as bar:
            data = load_for(experiment, progress=bar.move)
    for warning in caught:
        print(f"Warning: {warning.message}")
    findings = check_images(data, experiment, _say)
    print(findings.summary)
    for finding in findings:
        print(f"\n{finding}")
        notes = finding.notes or ("",) * len(finding.groups)
        for group, note in list(zip(finding.groups, notes))[:NAMED]:
            names = ", ".join(findings.pictures.name(image) for image in group[:4])
            more = f" and {len(group) - 4} more" if len(group) > 4 else ""
            print(f"  {names}{more}{f': {readable(note)}' if note else ''}")
        if len(finding.groups) > NAMED:
            print(f"  and {len(finding.groups) - NAMED:,} more, which `--html` and `--write-exclude` have")
    if listed:
        write_whole(listed, findings.exclusions())
        print(f"\nWritten: {readable(listed)}. To train without them: --exclude {readable(listed)}")
    if page:
        from vgglab.panel.findings import write_page

        write_page(findings, page)
        print(f"\nWritten: {readable(page)}")
    return FOUND if len(findings) else 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
