"""Research files as programs read them: CSV, Parquet, Excel and SPSS, each written row by row from the same tables.

A number that is missing is None with its reason, and each format says it as its readers expect: a code below zero that
the codebook lists (CSV, Parquet, Excel), and a user-defined missing value with a label (SPSS). The same rows give the
same bytes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol

from mappers.research import MISSING, Missing, Variable

FORMATS: Final = ("csv", "parquet", "xlsx", "sav")
Value = float | int | str | None
Write = Callable[[Sequence[Value]], None]
WriteRow = Callable[[Sequence[Value | Missing]], None]

_ROWS_OF_A_SHEET: Final = 1_048_576  # with the heading: what Excel can open
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BATCH: Final = 20_000  # rows of a Parquet row group
_LONGEST_LABEL: Final = 120  # bytes of a value label that SPSS shows
_LONGEST_TEXT: Final = 32_767  # bytes of a text in SPSS, characters in Excel


class NotInstalled(Exception):
    """A library that writes a format is not installed; the message says what to install."""


class _Format(Protocol):
    def table(self, name: str, variables: Sequence[Variable], language: str) -> Write: ...

    def close(self) -> None: ...


class Files:
    """Tables in several formats at once."""

    def __init__(self, formats: Sequence[_Format]) -> None:
        self._formats = formats

    def table(self, name: str, variables: Sequence[Variable], language: str) -> WriteRow:
        """Begin a table in each format; return what takes its rows, of which each has a value per variable."""
        writes = [one.table(name, variables, language) for one in self._formats]

        def write(row: Sequence[Value | Missing]) -> None:
            plain = [_plain(value, one) for value, one in zip(row, variables, strict=True)]
            for each in writes:
                each(plain)

        return write


@contextmanager
def opened(formats: Sequence[str], folder: Path) -> Iterator[Files]:
    """Open files of these formats in a folder; they are whole when the context ends.

    Raises NotInstalled before anything is written.
    """
    made = [_KINDS[form](folder) for form in formats]
    with ExitStack() as closing:
        for one in made:
            closing.callback(one.close)
        yield Files(made)


def _plain(value: Value | Missing, one: Variable) -> Value:
    """Return what a file has of a value: the code of why a number is missing, nothing where a text is."""
    if isinstance(value, Missing):
        return "" if one.type == "text" else value.code
    return value


class _Csv:
    """UTF-8, commas, one file per table. A text that a spreadsheet would take for a formula has a ' in front."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[IO[str]] = []

    def table(self, name: str, variables: Sequence[Variable], language: str) -> Write:  # noqa: ARG002 - as the others
        file = (self._folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
        self._files.append(file)
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([one.name for one in variables])

        def write(row: Sequence[Value]) -> None:
            rows.writerow([_no_formula(value) for value in row])

        return write

    def close(self) -> None:
        for file in self._files:
            file.close()


def _no_formula(value: float | str | None) -> float | str | None:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


class _Parquet:
    """One file per table; what a column is stands in the metadata of its field, as JSON under `verstel`."""

    def __init__(self, folder: Path) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 - only who wants Parquet needs it
            import pyarrow.parquet as pq  # noqa: PLC0415
        except ImportError as error:
            raise _not_installed("Parquet", "pyarrow") from error
        self._pa, self._pq, self._folder = pa, pq, folder
        self._ends: list[Callable[[], None]] = []

    def table(self, name: str, variables: Sequence[Variable], language: str) -> Write:
        pa = self._pa
        kinds = {"number": pa.float64(), "text": pa.string()}
        fields = [
            pa.field(one.name, kinds[one.type], metadata={"verstel": json.dumps(_described(one, language))})
            for one in variables
        ]
        schema = pa.schema(fields)
        file = self._pq.ParquetWriter(self._folder / f"{name}.parquet", schema, compression="zstd")
        kept: list[Sequence[Value]] = []

        def flush() -> None:
            columns = zip(*kept, strict=True) if kept else [[] for _ in fields]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema))
            kept.clear()

        def write(row: Sequence[Value]) -> None:
            kept.append(tuple(row))
            if len(kept) >= _BATCH:
                flush()

        def end() -> None:
            flush()
            file.close()

        self._ends.append(end)
        return write

    def close(self) -> None:
        for end in self._ends:
            end()


def _described(one: Variable, language: str) -> dict[str, Any]:
    return {
        "label": one.label,
        "level": one.level,
        "values": {str(number): text for number, text in one.values},
        "missing": {str(why.code): why.text.get(language) for why in one.missing},
    }


class _Excel:
    """One workbook with a sheet per table; a table that is longer than a sheet goes on in the next."""

    def __init__(self, folder: Path) -> None:
        try:
            import xlsxwriter  # noqa: PLC0415 - only who wants Excel needs it
        except ImportError as error:
            raise _not_installed("Excel", "xlsxwriter") from error
        self._book = xlsxwriter.Workbook(
            str(folder / "research.xlsx"),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "tmpdir": str(folder),  # what it keeps under way goes when the folder goes, and nobody else can read it
            },
        )
        self._book.set_properties({"created": datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)})

    def table(self, name: str, variables: Sequence[Variable], language: str) -> Write:  # noqa: ARG002 - as the others
        heading = [one.name for one in variables]
        number, row_number = 0, _ROWS_OF_A_SHEET
        sheet: Any = None

        def write(row: Sequence[Value]) -> None:
            nonlocal number, row_number, sheet
            if row_number >= _ROWS_OF_A_SHEET:
                number += 1
                sheet = self._book.add_worksheet(name if number == 1 else f"{name} {number}")
                sheet.write_row(0, 0, heading)
                row_number = 1
            for at, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(row_number, at, value[:_LONGEST_TEXT])
                elif value is not None:
                    sheet.write_number(row_number, at, value)
            row_number += 1

        return write

    def close(self) -> None:
        from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415 - it is there, or nothing was opened

        try:
            self._book.close()
        except FileCreateError as error:  # no OSError itself; what it is made of is
            raise OSError(*error.args[0].args) from error


class _Spss:
    """One file per table. The library takes a whole table, so all of it is in memory, unlike in the other formats."""

    def __init__(self, folder: Path) -> None:
        try:
            import polars as pl  # noqa: PLC0415 - only who wants SPSS needs these
            import pyreadstat  # noqa: PLC0415
        except ImportError as error:
            raise _not_installed("SPSS", "pyreadstat, with polars for its tables,") from error
        self._polars, self._pyreadstat, self._folder = pl, pyreadstat, folder
        self._ends: list[Callable[[], None]] = []

    def table(self, name: str, variables: Sequence[Variable], language: str) -> Write:
        columns: list[list[float | str | None]] = [[] for _ in variables]

        def write(row: Sequence[Value]) -> None:
            for column, one, value in zip(columns, variables, row, strict=True):
                if one.type == "text":
                    column.append(str("" if value is None else value).encode()[:_LONGEST_TEXT].decode(errors="ignore"))
                else:
                    column.append(None if value is None else float(value))

        self._ends.append(lambda: self._write(name, variables, columns, language))
        return write

    def _write(
        self, name: str, variables: Sequence[Variable], columns: list[list[float | str | None]], language: str
    ) -> None:
        pl, path = self._polars, self._folder / f"{name}.sav"
        kinds = {"number": pl.Float64, "text": pl.String}
        numbers = [one for one in variables if one.type == "number"]
        frame = pl.DataFrame(
            {one.name: pl.Series(column, dtype=kinds[one.type]) for one, column in zip(variables, columns, strict=True)}
        )
        self._pyreadstat.write_sav(
            frame,
            path,
            column_labels={one.name: one.label for one in variables},
            variable_value_labels={one.name: labels for one in numbers if (labels := _labels(one, language))},
            missing_ranges={
                one.name: [{"lo": min(why.code for why in MISSING), "hi": -1}] for one in numbers if one.missing
            },
            variable_measure={one.name: one.level for one in variables},
        )
        _undated(path)

    def close(self) -> None:
        for end in self._ends:
            end()


def _labels(one: Variable, language: str) -> dict[float, str]:
    labels = {float(number): text for number, text in one.values}
    labels |= {float(why.code): why.text.get(language) for why in one.missing}
    return {number: text.encode()[:_LONGEST_LABEL].decode(errors="ignore") for number, text in labels.items()}


def _undated(path: Path) -> None:
    """Take the time of writing out of the header (bytes 92 to 109), so that the same rows give the same bytes."""
    with path.open("r+b") as file:
        file.seek(92)
        file.write(b"01 Jan 8000:00:00")


def _not_installed(what: str, library: str) -> NotInstalled:
    return NotInstalled(f"{what} files need {library} which is not installed here: pip install 'verstel[research]'")


_KINDS: Final[dict[str, Callable[[Path], Any]]] = {"csv": _Csv, "parquet": _Parquet, "xlsx": _Excel, "sav": _Spss}
