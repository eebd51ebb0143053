"""What the doctor finds, misses and makes up on sets with planted faults: `make bench-doctor`.

Three sets: drawn flowers written as files, and, where ../shared/data is, real garments and blood cells. Into each are
planted copies of ten kinds, wrong labels, and images of nothing; a second drawn set has shortcuts. Thresholds were set
on seed 0 of the real sets; give other seeds as arguments: `make bench-doctor ARGS="2 3"`. With `speed` as the argument,
a set of 10,000 JPEG files is checked and the time of each step told.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from vgglab import check_images, draw_blossoms, load
from vgglab.doctor.findings import Findings

SHARED = Path(__file__).parents[3] / "shared" / "data"
EACH = 20  # planted of each kind of copy
FLIPPED = 0.03  # of the training images
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def crop(image: Image.Image, rng: np.random.Generator, low: float = 0.05, high: float = 0.2) -> Image.Image:
    """5 to 20 % of each side cut away, anywhere."""
    width, height = (round(side * (1 - rng.uniform(low, high))) for side in image.size)
    left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
    return image.crop((left, top, left + width, top + height))


def rotate(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    mean = tuple(int(value) for value in np.asarray(image).mean(axis=(0, 1)))
    return image.rotate(rng.choice([-1, 1]) * rng.uniform(3, 8), Image.Resampling.BILINEAR, fillcolor=mean)


def expose(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(rng.choice([rng.uniform(0.55, 0.8), rng.uniform(1.2, 1.5)]))


def compress(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(15, 50)))
    return Image.open(file).convert("RGB")


def resize(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    share = rng.uniform(0.4, 0.8)
    return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BICUBIC)


def several(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return compress(expose(crop(ImageOps.mirror(image), rng, 0.05, 0.12), rng), rng)


COPIES: dict[str, Change] = {
    "exact": lambda image, rng: image,
    "crop": crop,
    "mirror": lambda image, rng: ImageOps.mirror(image),
    "rotation 3–8°": rotate,
    "quarter turn": lambda image, rng: image.transpose(Image.Transpose.ROTATE_90),
    "exposure": expose,
    "JPEG 15–50": compress,
    "resize": resize,
    "mirror, crop, exposure, JPEG": several,
}
SINGLE: dict[str, tuple[str, Change]] = {
    "blank": (
        "blank images",
        lambda image, rng: Image.new("RGB", image.size, (int(rng.integers(60, 250)),) * 3),
    ),
    "dark": ("dark images", lambda image, rng: ImageEnhance.Brightness(image).enhance(0.08)),
    "tiny": ("tiny images", lambda image, rng: image.resize((20, 20))),
    "odd-shaped": ("odd shapes", lambda image, rng: image.resize((image.width * 4, image.height))),
    "blurred": (
        "blurred images",
        lambda image, rng: image.filter(ImageFilter.GaussianBlur(image.width / 10)),
    ),
}


def flowers(folder: Path, seed: int, images: int = 100, size: int = 96) -> None:
    """Drawn flowers as PNG files in a train and a validation part."""
    data = draw_blossoms(train_images=images, validation_images=images // 4, image_size=size, seed=seed)
    for part, split in (("train", data.train), ("validation", data.validation)):
        for number, (image, label) in enumerate(zip(split.images, split.labels)):
            place = folder / part / data.class_names[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number:05d}.png")


def real(folder: Path, name: str, seed: int) -> None:
    """A copy of a shared set; one without parts is divided."""
    if name == "clothing":
        shutil.copytree(SHARED / name, folder)
        return
    rng = np.random.default_rng((seed, 1))
    for file in sorted((SHARED / name).glob("*/*.jpg")):
        place = folder / ("train" if rng.random() < 0.8 else "validation") / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)


def plant(folder: Path, seed: int) -> dict[str, list[tuple[str, str]]]:
    """Plant the faults; for each kind what was planted, (source or "", file), as paths below the folder."""
    rng = np.random.default_rng((seed, 2))
    train = rng.permutation(sorted((folder / "train").glob("*/*")))
    kinds = len(COPIES) + len(SINGLE)
    sources = iter(train[: kinds * EACH + 1])
    planted: dict[str, list[tuple[str, str]]] = {}

    def note(kind: str, source: Path | None, file: Path) -> None:
        names = [each.relative_to(folder).as_posix() if each else "" for each in (source, file)]
        planted.setdefault(kind, []).append((names[0], names[1]))

    for kind, change in COPIES.items():
        for number in range(EACH):
            source = next(sources)
            part = "validation" if number % 2 else "train"
            file = folder / part / source.parent.name / f"copy {len(planted)} {number}.png"
            change(Image.open(source).convert("RGB"), rng).save(file)
            note(kind, source, file)
    for kind, (_, change) in SINGLE.items():
        for number in range(EACH // 4):
            source = next(sources)
            file = source.with_name(f"{kind} {number}.png")
            change(Image.open(source).convert("RGB"), rng).save(file)
            note(kind, source, file)
    placeholder, classes = next(sources), sorted({each.parent for each in train})
    for number in range(8):
        file = classes[number % len(classes)] / f"placeholder {number}.png"
        Image.open(placeholder).convert("RGB").save(file)
        note("placeholder", placeholder, file)
    left = list(train[kinds * EACH + 1 :])
    for source in left[: round(FLIPPED * len(train))]:
        others = [each for each in classes if each != source.parent]
        file = others[rng.integers(len(others))] / f"flipped {source.name}"
        shutil.move(source, file)
        note("label", None, file)
    return planted


def judged(
    findings: Findings, planted: dict[str, list[tuple[str, str]]]
) -> list[tuple[str, int, int, int | str]]:
    """For each kind: planted, found, and false alarms."""
    name = findings.pictures.name
    groups = [
        {name(image) for image in group}
        for each in findings
        if _is_of_copies(each.kind)
        for group in each.groups
    ]
    # A tiny or a blurred one is a copy as well.
    copied = {file for kind, files in planted.items() if kind != "label" for pair in files for file in pair}
    rows: list[tuple[str, int, int, int | str]] = []
    for kind in COPIES:
        found = sum(any({source, file} <= group for group in groups) for source, file in planted[kind])
        rows.append((f"copy: {kind}", len(planted[kind]), found, ""))
    rows.append(("copies: other groups", 0, 0, sum(not group & copied for group in groups)))
    for kind, title in [*((kind, title) for kind, (title, _) in SINGLE.items()), *_OTHERS]:
        told = {name(image) for each in findings if each.kind == title for image in each.images}
        files = {file for _, file in planted[kind]}
        sources = {source for source, _ in planted[kind]}
        rows.append((kind, len(files), len(files & told), len(told - files - sources)))
    return rows


_OTHERS = (("placeholder", "placeholder pictures"), ("label", "probable label errors"))


def _is_of_copies(kind: str) -> bool:
    return kind.startswith(("exact copies", "near copies", "placeholder"))


def shortcut(seed: int) -> list[tuple[str, bool]]:
    """Whether a shortcut is told where there is one, and where there is none."""
    told = []
    for what in ("none", "size", "format", "brightness"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "set"
            flowers(folder, seed, images=40)
            for file in sorted(folder.glob("*/*/*")) if what != "none" else ():
                _spoil(
                    file,
                    what,
                    sorted(each.name for each in file.parents[1].iterdir()).index(file.parent.name),
                )
            findings = check_images(load(str(folder)))
        told.append((what, any(each.kind.startswith("shortcut") for each in findings)))
    return told


def _spoil(file: Path, what: str, label: int) -> None:
    image = Image.open(file).convert("RGB")
    if what == "size":
        image = image.resize((96 + 8 * (label % 4),) * 2)
    if what == "brightness":
        image = ImageEnhance.Brightness(image).enhance(0.4 + 0.12 * label)
    image.save(file)
    if what == "format" and label % 2:
        image.save(file.with_suffix(".jpg"), quality=95)
        file.unlink()


def speed(count: int = 10_000) -> None:
    """Check so many JPEG files of 256 pixels a side, and tell the seconds of each step."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        rng = np.random.default_rng(0)
        for start in range(0, count, 1000):
            data = draw_blossoms(train_images=125, validation_images=1, image_size=64, seed=100 + start)
            for number, (image, label) in enumerate(zip(data.train.images, data.train.labels)):
                part = "train" if rng.random() < 0.8 else "validation"
                file = folder / part / data.class_names[label] / f"{start + number:06d}.jpg"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).resize((256, 256)).save(file, quality=85)
        begin = last = time.perf_counter()
        cpu = time.process_time()
        step = "reading"

        def say(sentence: str) -> None:
            nonlocal last, step
            print(f"{step}: {time.perf_counter() - last:.1f} s", flush=True)
            last, step = time.perf_counter(), sentence

        data = load(str(folder))
        findings = check_images(data, say=say)
        say("")
        seconds, used = time.perf_counter() - begin, time.process_time() - cpu
        print(f"{count:,} files: {seconds:.0f} s, {used:.0f} s of processor time, {len(findings)} findings")


def main(arguments: list[str]) -> None:
    if arguments == ["speed"]:
        speed()
        return
    warnings.simplefilter("ignore")
    for seed in map(int, arguments or ["1"]):
        for name in ("flowers", "clothing", "bloodcells"):
            if name != "flowers" and not SHARED.is_dir():
                print(f"{name}: not at {SHARED}")
                continue
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "set"
                flowers(folder, seed) if name == "flowers" else real(folder, name, seed)
                planted = plant(folder, seed)
                start = time.perf_counter()
                findings = check_images(load(str(folder)))
                seconds = time.perf_counter() - start
                print(f"\n{name}, seed {seed}: {len(findings.pictures):,} images, {seconds:.0f} s")
                print("| planted | how many | found | false alarms |\n|---|---|---|---|")
                for row in judged(findings, planted):
                    print(f"| {' | '.join(map(str, row))} |", flush=True)
                print("Other findings:", *[each.kind for each in findings if not each.images], sep=" ")
        print("\nShortcuts told:", shortcut(seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
