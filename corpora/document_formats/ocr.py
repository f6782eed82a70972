"""Text of pictures, by RapidOCR (Apache-2.0, models in the wheel, no network) where the extra `ocr` is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from corpora.document_formats.base import FILE_BYTES, Extract, check_length, check_size, join_lines
from corpora.formats import UnreadableError

#: What a user can do where OCR is not installed.
HOW_TO = "安装 OCR 组件（pip install 'minqing[ocr]'）后可读"
#: A picture of more pixels is a mistake or an attack; an A3 page at 600 dpi has 70 million.
PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class Recognised:
    """Lines of a picture from top to bottom, with the mean confidence, 0 to 1."""

    lines: list[str]
    confidence: float


def available() -> bool:
    """Tell whether the OCR extra is installed."""
    return importlib.util.find_spec("rapidocr") is not None and importlib.util.find_spec("onnxruntime") is not None


@cache
def _engine() -> Any:  # noqa: ANN401
    rapidocr = importlib.import_module("rapidocr")
    return rapidocr.RapidOCR(params={"Global.log_level": "error"})


def recognise(picture: object) -> Recognised:
    """Return the text of a picture (an RGB array or the bytes of a PNG or JPEG file).

    Raises:
        UnreadableError: if the picture cannot be decoded.
    """
    try:
        result = _engine()(picture)
    except Exception as error:  # what OpenCV, Pillow and onnxruntime raise has no common base
        raise UnreadableError("damaged", "图片无法解码，文件可能已损坏") from error
    if result.txts is None or not len(result.txts):
        return Recognised([], 0.0)
    boxes = [
        (
            float(min(point[1] for point in box)),
            float(max(point[1] for point in box)),
            float(min(point[0] for point in box)),
        )
        for box in result.boxes
    ]
    order = sorted(range(len(boxes)), key=lambda index: boxes[index][0])
    rows: list[list[int]] = []
    for index in order:
        top, bottom, _ = boxes[index]
        # Boxes that overlap by half their height stand on one line.
        if rows and top < (boxes[rows[-1][0]][0] + boxes[rows[-1][0]][1]) / 2 and bottom > top:
            rows[-1].append(index)
        else:
            rows.append([index])
    lines = [" ".join(result.txts[index] for index in sorted(row, key=lambda index: boxes[index][2])) for row in rows]
    return Recognised(lines, float(sum(result.scores)) / len(result.scores))


def read_picture(path: Path) -> Iterator[Extract]:
    """Read a scanned page (.png, .jpg)."""
    check_size(path.stat().st_size, FILE_BYTES, "图片")
    if not available():
        raise UnreadableError("needs_ocr", f"图片没有文字层；{HOW_TO}")
    image = importlib.import_module("PIL.Image")
    try:
        with image.open(path) as picture:
            width, height = picture.size
    except Exception as error:  # Pillow raises many kinds for broken files
        raise UnreadableError("damaged", "图片无法解码，文件可能已损坏") from error
    if width * height > PIXELS:
        raise UnreadableError("file_too_large", f"图片有 {width}×{height} 像素，超过上限 {PIXELS:,}")
    found = recognise(path.read_bytes())
    if not found.lines:
        raise UnreadableError("no_text", "图片里没有认出文字")
    problem = f"文字由 OCR 识别（平均置信度 {found.confidence:.2f}），可能有错字"
    yield Extract(check_length(join_lines(found.lines)), problems=[problem])
