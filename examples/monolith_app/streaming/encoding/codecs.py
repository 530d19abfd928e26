"""Lossless codecs: what was encoded is restored byte for byte."""

import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHUNK = 1 << 16


@dataclass(frozen=True)
class Codec:
    name: str
    compressor: Callable[[], Any]
    decompressor: Callable[[], Any]

    def encode(self, source: Path, target: Path) -> None:
        compressor = self.compressor()
        with source.open("rb") as original, target.open("wb") as encoded:
            while chunk := original.read(CHUNK):
                encoded.write(compressor.compress(chunk))
            encoded.write(compressor.flush())

    def decode(self, source: Path) -> Iterator[bytes]:
        decompressor = self.decompressor()
        with source.open("rb") as encoded:
            while chunk := encoded.read(CHUNK):
                yield decompressor.decompress(chunk)


CODECS = {
    codec.name: codec
    for codec in (
        Codec("zlib", lambda: zlib.compressobj(6), zlib.decompressobj),
        Codec("lzma", lambda: lzma.LZMACompressor(preset=1), lzma.LZMADecompressor),
    )
}
