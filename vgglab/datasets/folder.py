"""One loader for folders of images, of any format, mode, orientation and shape."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from vgglab.datasets.dataset import Dataset, Split
from vgglab.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
VALIDATION_SHARE = 0.2


class Photo(NamedTuple):
    path: Path
    label: int


def read_image(path: str | os.PathLike, image_size: int) -> np.ndarray:
    """One image file as RGB: uint8, shape (image_size, image_size, 3).

    Turned upright as its EXIF says, transparency laid on white, 16 bits scaled to 8, the first frame
    of an animation; the short side resized and the centre cropped. Raises what Pillow raises.
    """
    with Image.open(path) as image:
        if image.mode != "CMYK":
            # A JPEG decoder can halve large photographs as it reads; never below what is wanted.
            image.draft("RGB", (image_size, image_size))
        upright = ImageOps.exif_transpose(image)
    return np.asarray(ImageOps.fit(_rgb(upright), (image_size, image_size), Image.Resampling.BILINEAR))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey; converting it directly would clip everything over 255 to white.
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(np.asarray(image).clip(0, 255).round().astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")


def read_folder(folder: str | os.PathLike, image_size: int, seed: int, name: str | None = None) -> Dataset:
    """Read `folder/<class>/*` or `folder/{train,validation|val,test}/<class>/*`.

    Files that cannot be read are left out with one warning that lists and counts them. `InputError`
    when nothing can be trained on what is left.
    """
    folder = Path(folder).expanduser()
    name = str(folder) if name is None else name
    if not folder.is_dir():
        raise InputError(
            f"There is no folder at {folder}. An image folder holds one folder of images for each class."
        )
    parts = _split_folders(folder)
    class_names = _class_names(folder, parts)
    skipped: list[tuple[str, str]] = []
    read = {part: _read_classes(where, class_names, image_size, skipped) for part, where in parts.items()}
    _warn_of(skipped, folder)
    if "train" in read:
        _require(read["train"], class_names, 1, f"{folder}/train")
        _require(read["validation"], class_names, 1, str(parts["validation"]))
    else:
        _require(read["all"], class_names, 2, str(folder))
        read["train"], read["validation"] = _divide(read["all"], seed)
    return Dataset(name, class_names, read["train"], read["validation"], read.get("test"), tuple(skipped))


def _folders_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _split_folders(folder: Path) -> dict[str, Path]:
    """{"train": …, "validation": …, perhaps "test": …}, or {"all": folder} where no split was made."""
    found = [each for each in _folders_in(folder) if each.name in SPLITS]
    if not any(each.name == "train" for each in found):
        return {"all": folder}
    parts: dict[str, Path] = {}
    for each in found:
        part = SPLITS[each.name]
        if part in parts:
            raise InputError(
                f"{folder} has both {parts[part].name}/ and {each.name}/; only one can be the {part} part."
            )
        parts[part] = each
    if "validation" not in parts:
        raise InputError(
            f"{folder} has train/ but neither validation/ nor val/. Add one, or put the class folders directly "
            f"into {folder} to have the split made."
        )
    return parts


def _class_names(folder: Path, parts: dict[str, Path]) -> tuple[str, ...]:
    named = {part: [each.name for each in _folders_in(where)] for part, where in parts.items()}
    class_names = named["train" if "train" in named else "all"]
    where = parts.get("train", folder)
    if len(class_names) < 2:
        found = f"one, '{class_names[0]}'" if class_names else "none"
        raise InputError(f"{where} must hold at least two class folders. Found: {found}.")
    for part, names in named.items():
        extra = sorted(set(names) - set(class_names))
        if extra:
            raise InputError(f"{parts[part]} has class folders that {where} lacks: {', '.join(extra)}.")
    return tuple(class_names)


def _read_classes(
    where: Path, class_names: tuple[str, ...], image_size: int, skipped: list[tuple[str, str]]
) -> Split:
    loose = [each for each in sorted(where.iterdir()) if each.is_file() and each.suffix.lower() in SUFFIXES]
    skipped += [(str(each), "beside the class folders, so it has no class") for each in loose]
    photos = [
        Photo(path, label)
        for label, class_name in enumerate(class_names)
        for path in _files_in(where / class_name, skipped)
    ]

    def read(photo: Photo) -> np.ndarray | str:
        try:
            return read_image(photo.path, image_size)
        except Image.UnidentifiedImageError:
            return "zero bytes" if photo.path.stat().st_size == 0 else "not an image"
        # Pillow's decoders raise many kinds of error for broken files; each is reported with its file.
        except Exception as error:
            return str(error) or type(error).__name__

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(read, photos))
    skipped += [
        (str(photo.path), result) for photo, result in zip(photos, results) if isinstance(result, str)
    ]
    good = [(result, photo.label) for photo, result in zip(photos, results) if not isinstance(result, str)]
    images = (
        np.stack([image for image, _ in good]) if good else np.empty((0, image_size, image_size, 3), np.uint8)
    )
    return Split(images, np.array([label for _, label in good], dtype=np.int64))


def _files_in(folder: Path, skipped: list[tuple[str, str]]) -> list[Path]:
    """The image files of a class in the order of their names; hidden files are not mentioned, others are."""
    if not folder.is_dir():
        return []
    files = sorted(
        each for each in folder.iterdir() if not each.name.startswith(".") and each.name != "Thumbs.db"
    )
    skipped += [
        (str(each), "not one of " + ", ".join(SUFFIXES))
        for each in files
        if each.suffix.lower() not in SUFFIXES
    ]
    return [each for each in files if each.suffix.lower() in SUFFIXES]


def _warn_of(skipped: list[tuple[str, str]], folder: Path) -> None:
    if skipped:
        lines = "".join(f"\n  {path}: {reason}" for path, reason in skipped)
        files = "1 file" if len(skipped) == 1 else f"{len(skipped)} files"
        warnings.warn(f"Left out {files} of {folder} that could not be read:{lines}", stacklevel=4)


def _require(split: Split, class_names: tuple[str, ...], at_least: int, where: str) -> None:
    counts = np.bincount(split.labels, minlength=len(class_names))
    for class_name, count in zip(class_names, counts):
        if count < at_least:
            need = "two images, one to train and one to validate on" if at_least == 2 else "an image"
            raise InputError(f"Class '{class_name}' in {where} needs at least {need}. Readable: {count}.")


def _divide(split: Split, seed: int) -> tuple[Split, Split]:
    """A fifth of each class, and at least one image, to validate on; `seed` chooses which."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        members = rng.permutation(np.flatnonzero(split.labels == label))
        chosen[members[: max(1, round(VALIDATION_SHARE * len(members)))]] = True
    return Split(split.images[~chosen], split.labels[~chosen]), Split(
        split.images[chosen], split.labels[chosen]
    )
