"""Transports of a stream that are no part of Jupyter: a list in memory, and a file."""

import struct

SIZE = struct.Struct("<BI")
DELIVERED, KEPT = 0, 1


class Listed:
    """Keeps packets in lists."""

    def __init__(self):
        self.delivered, self.kept = [], []

    def deliver(self, packet):
        self.delivered.append(packet)

    def keep(self, packet):
        self.kept.append(packet)


class Filed:
    """Writes packets to a file, each after its kind and its size."""

    def __init__(self, path):
        self._path = path
        self._file = path.open("ab")

    def deliver(self, packet):
        self._write(DELIVERED, packet)

    def keep(self, packet):
        self._write(KEPT, packet)

    def _write(self, kind, packet):
        self._file.write(SIZE.pack(kind, len(packet)) + packet)
        self._file.flush()

    def _read(self, wanted):
        data, at = self._path.read_bytes(), 0
        while at < len(data):
            kind, size = SIZE.unpack_from(data, at)
            at += SIZE.size + size
            if kind == wanted:
                yield data[at - size : at]

    @property
    def delivered(self):
        return list(self._read(DELIVERED))

    @property
    def kept(self):
        return list(self._read(KEPT))
