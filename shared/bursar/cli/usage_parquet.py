"""Usage records in a Parquet file, by pyarrow. Amounts are decimals there, too.

pyarrow is what everything that reads such files tests against; writers that are smaller to install
(fastparquet, say) bring pandas along.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import Failed
from bursar.cli.usage_fields import FIELDS

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:
    raise Failed(
        "Parquet needs a package that is not installed: pip install pyarrow; or export csv or jsonl"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bursar.cli.usage_fields import FieldKind

# All digits that the books keep: 38, of which 12 are decimals.
_USD: Final = pa.decimal128(38, 12)
_TYPES: Final[Mapping[FieldKind, Any]] = {
    "text": pa.string(),
    "moment": pa.timestamp("us", tz="UTC"),
    "count": pa.int64(),
    "usd": _USD,
    "number": pa.float64(),
    "flag": pa.bool_(),
    "counts": pa.map_(pa.string(), pa.int64()),
    "rates": pa.map_(pa.string(), _USD),
}
_READ: Final[Mapping[FieldKind, Callable[[Any], Any]]] = {
    "moment": datetime.fromisoformat,
    "usd": Decimal,
    "number": float,
    "counts": lambda counts: list(counts.items()),
    "rates": lambda rates: [(unit, Decimal(rate)) for unit, rate in rates.items()],
}
_SCHEMA: Final = pa.schema([(name, _TYPES[kind]) for name, kind in FIELDS.items()])


class ParquetFile:
    """A file that is being written, a group of rows at a time."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator[ParquetFile]:
        with parquet.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            yield cls(writer)

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Write records as one group of rows."""
        columns = [_column(records, name, kind) for name, kind in FIELDS.items()]
        self._writer.write_table(pa.table(columns, schema=_SCHEMA))


def _column(records: Sequence[Mapping[str, Any]], name: str, kind: FieldKind) -> Any:
    read = _READ.get(kind, lambda value: value)
    values = [record.get(name) for record in records]
    return pa.array([None if value is None else read(value) for value in values], type=_TYPES[kind])
