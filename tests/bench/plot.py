"""A picture of a run: bars on a scale of powers of ten, as SVG."""

from math import log10
from xml.sax.saxutils import escape

from tests.bench.report import Report

_PANELS = {
    "small": "CPU per small request, ms",
    "burst": "CPU per chunk in a burst, µs",
    "paced": "CPU per chunk every 50 ms, µs",
}
_COLOURS = {"nginx": "#9aa0a6", "gateway": "#1a73e8", "litellm": "#e8710a"}
_NAMES = {"nginx": "nginx, bytes only", "gateway": "this gateway", "litellm": "LiteLLM"}
_WIDTH, _LEFT, _RIGHT, _BAR, _GAP, _HEAD = 720, 140, 70, 20, 8, 34


def svg_of(report: Report) -> str:
    """Draw what was measured of CPU: an empty picture if that is nothing."""
    shapes: list[str] = []
    y = 8
    for name, title in _PANELS.items():
        values = {
            target: value
            for target in _COLOURS
            if (value := report.medians.get(name, {}).get(target, 0)) > 0
        }
        if values:
            y = _panel(shapes, y, title, values)
    note = f"less is better, scale of powers of ten; {report.machine['cpu']}, {report.date[:10]}"
    shapes.append(_text(_LEFT, y + 12, note, size=11, colour="#5f6368"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 24}" '
        f'font-family="sans-serif" role="img">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _panel(shapes: list[str], y: int, title: str, values: dict[str, float]) -> int:
    """Draw bars below each other; return where the next panel begins."""
    shapes.append(_text(_LEFT, y + 18, title, size=14, weight="bold"))
    y += _HEAD - 6
    least = log10(min(values.values())) - 0.3
    span = max(log10(max(values.values())) - least, 0.1)
    for target, value in values.items():
        width = (log10(value) - least) / span * (_WIDTH - _LEFT - _RIGHT)
        middle = y + _BAR - 5
        shapes.append(_text(_LEFT - 8, middle, _NAMES[target], anchor="end"))
        shapes.append(
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" '
            f'fill="{_COLOURS[target]}"/>'
        )
        shapes.append(_text(_LEFT + width + 6, middle, f"{value:.3g}"))
        y += _BAR + _GAP
    return y + _GAP


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 13,
    anchor: str = "start",
    weight: str = "normal",
    colour: str = "#202124",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )
