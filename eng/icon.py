"""Draws the packages' icon: python3 eng/icon.py eng/icon.png"""
import struct
import sys
import zlib

SIZE, FINE = 128, 4  # pixels, samples a pixel and axis
SHAPES = [  # bars: left, top, right, bottom, colour; the steps of a sampler
    (18, 26, 38, 110, 0x3F6B8F), (42, 50, 62, 110, 0x5F93B8), (66, 74, 86, 110, 0x8DBFDC), (90, 96, 110, 110, 0xD8EEF9)]
DOTS = [(50, 22, 5), (72, 38, 4), (90, 60, 3), (103, 83, 2)]  # x, y, radius; the noise that goes
GROUND, DOT, CORNER = 0x17324D, 0xF2B84B, 24


def colour(x, y):
    dx, dy = max(CORNER - x, x - SIZE + CORNER, 0), max(CORNER - y, y - SIZE + CORNER, 0)
    if dx * dx + dy * dy > CORNER * CORNER:
        return None
    if any((x - cx) ** 2 + (y - cy) ** 2 <= r * r for cx, cy, r in DOTS):
        return DOT
    return next((c for left, top, right, bottom, c in SHAPES if left <= x < right and top <= y < bottom), GROUND)


def pixel(px, py):
    samples = [colour(px + (i + 0.5) / FINE, py + (j + 0.5) / FINE) for i in range(FINE) for j in range(FINE)]
    seen = [s for s in samples if s is not None]
    channels = [round(sum(s >> shift & 255 for s in seen) / len(seen)) if seen else 0 for shift in (16, 8, 0)]
    return bytes(channels + [round(255 * len(seen) / len(samples))])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
