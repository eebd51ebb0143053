"""A table as a file that spreadsheets open."""

from __future__ import annotations

from typing import Any

import pandas as pd

_FORMULA = ("=", "+", "-", "@")


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, without its index.

    Text that a spreadsheet would take for a formula stands behind an apostrophe; numbers stay numbers. OWASP, "CSV
    Injection", owasp.org/www-community/attacks/CSV_Injection.
    """
    text = {
        name: column.map(_as_text)
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    return table.assign(**text).to_csv(index=False)


def _as_text(cell: Any) -> Any:
    is_formula = isinstance(cell, str) and cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if is_formula else cell
