"""Cost against size as a drawing: both axes by powers of ten, a line for each kind of read. SVG, written by hand."""

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 860, 460, 70, 50, 230, 50
COLOURS = ("#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#e03e3e", "#64473a", "#8a8a00")


def chart(title: str, times: Mapping[int, Mapping[str, float]]) -> str:
    """The drawing of milliseconds by number of posts and kind of read."""
    sizes = sorted(times)
    values = [value for row in times.values() for value in row.values()]
    lowest, highest = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)
    span = log10(sizes[-1]) - log10(sizes[0]) or 1

    def x(size: int) -> float:
        return LEFT + (log10(size) - log10(sizes[0])) / span * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - lowest) / (highest - lowest) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="26" font-size="16">{escape(title)}</text>',
    ]
    for power in range(lowest, highest + 1):
        height = y(10**power)
        parts.append(f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
    for size in sizes:
        parts.append(f'<path d="M{x(size):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,} posts</text>')
    for place, name in enumerate(times[sizes[-1]]):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(times[size][name]):.1f}" for size in sizes if name in times[size])
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        height = TOP + 10 + place * 22
        parts.append(f'<path d="M{WIDTH - RIGHT + 20} {height - 4}h22" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 50}" y="{height}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
