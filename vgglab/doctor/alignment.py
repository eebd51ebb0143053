"""Whether two pictures are one, cut or turned or lit in another way: laid over each other, do their details agree?

The best view says how one lies on the other; least squares then move it by an affine map
(Lucas & Kanade 1981), with brightness and contrast free. Judged are the details alone, because what is smooth agrees
between many pictures of one kind.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from vgglab.doctor.resample import gauss, turned, window
from vgglab.doctor.sight import Sight

PAIRS_AT_A_TIME = 256
# The share of the side, steps of the least squares, and the correlation of details that is worth a finer look.
LOOKS = ((0.375, 6, 0.3), (0.5, 7, 0.55), (1.0, 5, 0.6))
DETAIL = 1 / 20  # of the side: what is smaller than that is a detail
LEAST_OVERLAP = 0.5  # of the area that both must share
BLOCKS = 8  # each way
LEAST_BLOCKS = 6  # of them that have any contrast
LEAST_CONTRAST = 3.0  # grey values of 255, as a standard deviation


def agreement(sight: Sight, pairs: np.ndarray, least: float) -> np.ndarray:
    """How far the details of the pictures of each pair agree, up to 1; 0 where a less fine look sees that they differ.

    `pairs`: (m, 2) numbers of pictures; `least`: how alike their best views must be, at least.
    """
    starts = range(0, len(pairs), PAIRS_AT_A_TIME)
    # Many small products: threads of our own are used well, a library's wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(
            lambda start: _agreement(sight, pairs[start : start + PAIRS_AT_A_TIME], least), starts
        )
        return np.concatenate([np.zeros(0, np.float32), *found])


def _agreement(sight: Sight, pairs: np.ndarray, least: float) -> np.ndarray:
    found = np.zeros(len(pairs), np.float32)
    first, second = pairs.T
    one, way_one = sight.best_view(first, second)
    two, way_two = sight.best_view(second, first)
    swap = two > one
    near = np.flatnonzero(np.maximum(one, two) >= least)
    # The one that is cut moves: all of the other one has its place in it.
    moving, fixed = np.where(swap, second, first)[near], np.where(swap, first, second)[near]
    view = np.where(swap, way_two, way_one)[near]
    if len(near):
        found[near] = _of_views(sight, moving, fixed, view)
    return found


def _of_views(sight: Sight, moving: np.ndarray, fixed: np.ndarray, view: np.ndarray) -> np.ndarray:
    """The agreement of details after least squares from the given views."""
    first = sight.grey[moving].astype(np.float32)
    second = sight.grey[fixed].astype(np.float32)
    warp = np.zeros((len(view), 2, 3), np.float32)  # of coordinates from -1 to 1
    for place, each in enumerate(view):
        way, left, top, share = sight.views[each]
        first[place] = turned(first[place : place + 1], way)[0]
        warp[place] = [[share, 0, 2 * left + share - 1], [0, share, 2 * top + share - 1]]
    side = first.shape[1]
    left, found = np.arange(len(view)), np.zeros(len(view), np.float32)
    for share, steps, worth in LOOKS:
        small = window(side, round(share * side))
        one, two = (small @ each[left] @ small.T if share < 1 else each[left] for each in (first, second))
        warp = _least_squares(one, two, warp, steps)
        goes_on = _correlation(one, two, warp) >= worth
        left, warp = left[goes_on], warp[goes_on]
        if not len(left):
            return found
    found[left] = _in_blocks(first[left], second[left], warp)
    return found


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    line = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return x.ravel(), y.ravel()


def _sample(pictures: np.ndarray, warp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n, side, side) at the warped places, (n, side²), and which of those lie inside."""
    n, side = pictures.shape[:2]
    x, y = _grid(side)
    places = warp[:, :, :2] @ np.stack([x, y]) + warp[:, :, 2:]
    places = (places + 1) * np.float32(side / 2) - np.float32(0.5)
    inside = ((places >= 0) & (places <= side - 1)).all(axis=1)
    np.clip(places, 0, np.float32(side - 1.001), out=places)
    corner = places.astype(np.int32)
    u, v = np.moveaxis(places - corner, 1, 0)
    base = corner[:, 1] * side + corner[:, 0] + (np.arange(n, dtype=np.int32) * side * side)[:, None]
    flat = pictures.ravel()
    a, b, c, d = (flat.take(base + step) for step in (0, 1, side, side + 1))
    upper, lower = a + (b - a) * u, c + (d - c) * u
    return upper + (lower - upper) * v, inside


def _least_squares(moving: np.ndarray, fixed: np.ndarray, warp: np.ndarray, steps: int) -> np.ndarray:
    """The affine map by which each moving picture fits the fixed one best, gain and offset free.

    Inverse compositional, so that slopes are those of the fixed picture and need no sampling: Baker & Matthews 2004.
    """
    n, side = fixed.shape[:2]
    x, y = _grid(side)
    slope_y, slope_x = (each.reshape(n, -1) * (side / 2) for each in np.gradient(fixed, axis=(1, 2)))
    target = fixed.reshape(n, -1)
    centred = target - target.mean(axis=1, keepdims=True)
    columns = [slope_x * x, slope_x * y, slope_x, slope_y * x, slope_y * y, slope_y, centred]
    slopes = np.stack([*columns, np.ones_like(target)], axis=1)
    scale = np.linalg.norm(slopes, axis=2, keepdims=True) + 1e-3
    slopes /= scale
    damped = slopes @ slopes.transpose(0, 2, 1) + 1e-3 * np.eye(8, dtype=np.float32)
    solver = np.linalg.inv(damped) / scale.transpose(0, 2, 1)[:, 0, :, None]
    whole = np.concatenate([warp, np.broadcast_to(np.array([[[0, 0, 1]]], np.float32), (n, 1, 3))], axis=1)
    for _ in range(steps):
        seen, inside = _sample(moving, whole[:, :2])
        count = np.maximum(1, inside.sum(axis=1, keepdims=True))
        seen = np.where(inside, seen - (seen * inside).sum(axis=1, keepdims=True) / count, 0)
        expected = np.where(inside, centred, 0)
        length, wanted = (np.linalg.norm(each, axis=1, keepdims=True) for each in (seen, expected))
        gain = wanted / np.maximum(length, 1e-3)
        away = seen * gain - expected
        step = (solver @ (slopes @ away[..., None]))[:, :6, 0].reshape(n, 2, 3)
        change = np.broadcast_to(np.eye(3, dtype=np.float32), (n, 3, 3)).copy()
        change[:, :2] += np.clip(np.nan_to_num(step), -0.1, 0.1)
        whole = whole @ np.linalg.inv(change)
    return whole[:, :2]


def _laid(
    moving: np.ndarray, fixed: np.ndarray, warp: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The details of the moving picture as it lies on the fixed one, those of that, and where both are."""
    laid, inside = _sample(moving, warp)
    mask = inside.reshape(moving.shape).astype(np.float32)
    return _details(laid.reshape(moving.shape), mask), _details(fixed, mask), mask


def _correlation(moving: np.ndarray, fixed: np.ndarray, warp: np.ndarray) -> np.ndarray:
    """The correlation of all details of both, (n,); 0 where the map is none that a camera or a cut makes."""
    one, two, mask = _laid(moving, fixed, warp)
    product, one_square, two_square = (
        (left * right).sum(axis=(1, 2)) for left, right in ((one, two), (one, one), (two, two))
    )
    large, small = np.linalg.svd(warp[:, :, :2], compute_uv=False).T
    is_mild = (
        (large < 1.6) & (small > 0.6) & (large < 1.25 * small) & (mask.mean(axis=(1, 2)) >= LEAST_OVERLAP)
    )
    return np.where(is_mild, product / np.sqrt(np.maximum(one_square * two_square, 1e-6)), 0)


def _in_blocks(moving: np.ndarray, fixed: np.ndarray, warp: np.ndarray) -> np.ndarray:
    """What the correlation of details is in those of small blocks in which it is low, (n,): a mean of two quantiles.

    Outlines of one kind of thing agree along the outline; a copy agrees everywhere. Blocks in which neither picture has
    any contrast are not asked.
    """
    one, two, mask = (_blocks(each) for each in _laid(moving, fixed, warp))
    count = np.maximum(1, mask.sum(axis=2, keepdims=True))
    one, two = ((each - each.sum(axis=2, keepdims=True) / count) * mask for each in (one, two))
    one_spread, two_spread = (np.sqrt((each * each).sum(axis=2) / count[..., 0]) for each in (one, two))
    agreed = (one * two).sum(axis=2) / count[..., 0] / np.maximum(one_spread * two_spread, 1e-3)
    asked = (mask.mean(axis=2) > 0.5) & (np.maximum(one_spread, two_spread) >= LEAST_CONTRAST)
    # A picture that was turned has corners of another one; inside, a copy is all there.
    inside = np.pad(np.ones((BLOCKS - 2,) * 2, bool), 1).ravel()
    found = (_quantile(agreed, asked & inside, 0.1) + _quantile(agreed, asked, 0.25)) / 2
    return np.where(asked.sum(axis=1) >= LEAST_BLOCKS, found, 0)


def _quantile(values: np.ndarray, chosen: np.ndarray, share: float) -> np.ndarray:
    """Of each row the quantile of the values that are chosen; 0 where none is."""
    found = np.zeros(len(values), np.float32)
    some = chosen.any(axis=1)
    if some.any():
        found[some] = np.nanquantile(np.where(chosen, values, np.nan)[some], share, axis=1)
    return found


def _blocks(pictures: np.ndarray) -> np.ndarray:
    """Pictures (n, side, side) as `BLOCKS` × `BLOCKS` blocks, (n, blocks, pixels)."""
    size = pictures.shape[1] // BLOCKS
    whole = pictures[:, : size * BLOCKS, : size * BLOCKS]
    return (
        whole.reshape(-1, BLOCKS, size, BLOCKS, size)
        .transpose(0, 1, 3, 2, 4)
        .reshape(len(whole), BLOCKS**2, size**2)
    )


def _details(pictures: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Pictures minus their blurred selves, inside the mask, with mean 0 there."""
    blur = gauss(pictures.shape[1], DETAIL)
    smooth = (blur @ (pictures * mask) @ blur.T) / np.maximum(blur @ mask @ blur.T, 1e-3)
    left = (pictures - smooth) * mask
    mean = left.sum(axis=(1, 2), keepdims=True) / np.maximum(mask.sum(axis=(1, 2), keepdims=True), 1)
    return (left - mean) * mask
