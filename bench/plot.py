# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Draws what bench_ring printed: speed by the size of a message, a line for each number of threads, as SVG."""
import math

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
COLOURS = {1: "#1f6fb4", 2: "#c4501b"}


def size_name(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return "%d %s" % (size // unit, name)
    return "%d B" % size


def points(lines):
    """'plot THREADS SIZE SPEED' of the lines: {threads: [(size, speed)]}, by size."""
    found = {}
    for line in lines:
        words = line.split()
        if len(words) == 4 and words[0] == "plot":
            found.setdefault(int(words[1]), []).append((int(words[2]), float(words[3])))
    return {threads: sorted(series) for threads, series in sorted(found.items())}


def text(x, y, what, anchor="middle", extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, extra, what)


def svg(series):
    """The picture; series as points() gives it, not empty."""
    sizes = sorted({size for line in series.values() for size, _ in line})
    top = max(0.2, math.ceil(max(speed for line in series.values() for _, speed in line) * 5) / 5)
    low, high = math.log2(sizes[0]), max(math.log2(sizes[-1]), math.log2(sizes[0]) + 1)

    def x(size):
        return LEFT + (math.log2(size) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(speed):
        return HEIGHT - BOTTOM - speed / top * (HEIGHT - TOP - BOTTOM)

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">'
           % (WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="white"/>',
           text(WIDTH / 2, 20, "AES-256-GCM through a ring, encrypted and decrypted", extra=' font-size="14"')]
    for i in range(6):
        value = top * i / 5
        out.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>' % (LEFT, WIDTH - RIGHT, y(value), y(value)))
        out.append(text(LEFT - 8, y(value) + 4, "%.2f" % value, "end"))
    for size in sizes:
        out.append(text(x(size), HEIGHT - BOTTOM + 18, size_name(size)))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "bytes of a message"))
    out.append(text(16, HEIGHT / 2, "part of memcpy's speed by one thread",
                    extra=' transform="rotate(-90 16 %d)"' % (HEIGHT // 2)))
    for threads, line in series.items():
        colour = COLOURS.get(threads, "black")
        out.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>'
                   % (colour, " ".join("%.1f,%.1f" % (x(size), y(speed)) for size, speed in line)))
        size, speed = line[-1]
        out.append(text(x(size) + 8, y(speed) + 4, "%d thread%s" % (threads, "s" if threads > 1 else ""), "start",
                        ' fill="%s"' % colour))
    return "\n".join(out + ["</svg>", ""])
