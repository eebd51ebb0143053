"""What the doctor found as HTML: sentences, and small pictures of what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from vgglab.doctor.findings import Finding, Findings
from vgglab.files import readable, write_whole
from vgglab.panel.png import png_uri
from vgglab.panel.styles import source
from vgglab.templates import render

SIDE = 96  # pixels of a picture, at most
GROUPS, OF_A_GROUP = 24, 6  # pictures that a finding shows, at most


def findings_html(findings: Findings) -> str:
    """The findings for a page that has others: a section each."""
    sections = render("findings_inside.html", findings=[_section(findings, each) for each in findings])
    style = f"<style>{source('findings.css')}</style>"
    return f"{style}{render('note.html', texts=[findings.summary])}{sections}"


def write_page(findings: Findings, path: Path) -> None:
    """Write the findings as a page that needs no other file. `OSError` where that fails."""
    page = render(
        "findings.html",
        title=f"What was found in {readable(findings.pictures.data.name)}",
        summary=findings.summary,
        style=source("findings.css"),
        findings=[_section(findings, each) for each in findings],
    )
    write_whole(path, page)


def _section(findings: Findings, finding: Finding) -> dict[str, Any]:
    notes = finding.notes or ("",) * len(finding.groups)
    left = len(finding.groups) - GROUPS
    return dict(
        title=finding.title,
        sentence=finding.sentence,
        effect=finding.effect,
        groups=[
            dict(note=readable(note), images=[_picture(findings, image) for image in group[:OF_A_GROUP]])
            for group, note in list(zip(finding.groups, notes))[:GROUPS]
        ],
        more=f"And {left:,} more; the list of files has all of them." if left > 0 else "",
    )


def _picture(findings: Findings, image: int) -> dict[str, str]:
    pictures = findings.pictures
    name = pictures.name(image)
    return dict(
        source=png_uri(pictures.image(image), SIDE, Image.Resampling.BILINEAR),
        words=f"{name}, {pictures.class_of(image)}",
        caption=name,
    )
