"""The headers of HTTP/2: RFC 7541."""

from hpack.exceptions import HPACKError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from .head import Header

# The largest table that a sender may use, in bytes. Its receiver's settings say so, and rarely more than 64 KiB.
MAX_TABLE = 1024 * 1024
# The most that the headers of one block may count: few bytes can refer to many.
MAX_LIST = 1024 * 1024
# What a header counts beside its bytes, and what Python takes for it.
OVERHEAD = 32
ENTRY_COST = 200


class BlockError(Exception):
    """A block of headers that is not coded as HPACK says."""


class BlockDecoder:
    """Decodes the header blocks that one side sends, in their order.

    hpack's own decoder has other bounds: the parts that it is made of are used here.
    """

    def __init__(self) -> None:
        self._table = HeaderTable()
        self._block = b""
        self._at = 0

    def table_size(self) -> int:
        """How many bytes its table takes at most."""
        return self._table.maxsize + ENTRY_COST * len(self._table.dynamic_entries)

    def decode(self, block: bytes) -> list[Header]:
        """Raises BlockError for a block that is not HPACK, or whose headers are longer than 1 MiB."""
        self._block = block
        self._at = 0
        headers: list[Header] = []
        size = 0
        while self._at < len(block):
            header = self._read_entry(is_first=not headers)
            if header:
                headers.append(header)
                size += cost_of(header)
            if size > MAX_LIST:
                raise BlockError(f"more than {MAX_LIST} bytes of headers")
        return headers

    def _read_entry(self, is_first: bool) -> Header | None:
        """Returns None for what only changes the table's size."""
        first = self._block[self._at]
        if first & 0x80:
            return self._find(self._read_integer(7))
        if first & 0xE0 == 0x20:
            size = self._read_integer(5)
            if not is_first:
                raise BlockError("a table's size after a header")
            self._resize(size)
            return None
        is_added = bool(first & 0x40)
        index = self._read_integer(6 if is_added else 4)
        name = self._find(index)[0] if index else self._read_string()
        header = (name, self._read_string())
        if is_added:
            self._table.add(*header)
        return header

    def _resize(self, size: int) -> None:
        if size > MAX_TABLE:
            raise BlockError(f"a table of {size} bytes")
        self._table.maxsize = size

    def _find(self, index: int) -> Header:
        try:
            return self._table.get_by_index(index)
        except HPACKError:
            raise BlockError(f"no header has the number {index}") from None

    def _read_integer(self, bits: int) -> int:
        """An integer that begins in the last bits of a byte."""
        most = (1 << bits) - 1
        value = self._read_byte() & most
        if value < most:
            return value
        for shift in (0, 7, 14, 21):
            byte = self._read_byte()
            value += (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise BlockError("an integer that is too large")

    def _read_byte(self) -> int:
        if self._at >= len(self._block):
            raise BlockError("the block ends too early")
        self._at += 1
        return self._block[self._at - 1]

    def _read_string(self) -> bytes:
        is_huffman = self._at < len(self._block) and bool(self._block[self._at] & 0x80)
        length = self._read_integer(7)
        end = self._at + length
        if end > len(self._block):
            raise BlockError("a string that is longer than its block")
        coded = self._block[self._at : end]
        self._at = end
        return decode_string(coded) if is_huffman else coded


def decode_string(coded: bytes) -> bytes:
    try:
        return decode_huffman(coded)
    except HPACKError:
        raise BlockError("a string that is not coded as Huffman's are") from None


def cost_of(header: Header) -> int:
    """What a header counts of a table's size."""
    return len(header[0]) + len(header[1]) + OVERHEAD
