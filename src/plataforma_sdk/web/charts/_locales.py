"""How numbers, dates and the words of a chart are written: for Python's texts and for the drawing's own axes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from plataforma_sdk.ui._kinds import is_number
from plataforma_sdk.ui._text_values import clean

__all__ = ["Locale", "locale_of"]

_MAX_PLACES: Final = 2
_MAX_SHOWN_EXPONENT: Final = 15


@attrs.frozen(kw_only=True)
class Locale:
    """One language.

    Attributes:
        name: its tag, ``"pt-BR"``.
        decimal: between whole and part.
        thousands: between groups of three.
        symbols: of currencies, where they have one beside their code.
        currency_gap: between a currency's symbol and the amount.
        date: `strftime` of a date; the drawing understands the same.
        day: of a date whose year is clear.
        months: their names.
        days: names of the weekdays, Sunday first.
        words: key -> text of what a chart says by itself.
    """

    name: str
    decimal: str
    thousands: str
    symbols: Mapping[str, str]
    currency_gap: str
    date: str
    day: str
    months: tuple[str, ...]
    days: tuple[str, ...]
    words: Mapping[str, str]

    # --- texts -------------------------------------------------------------------------------------------------------

    def text(self, value: Any, form: str | None = None, currency: str | None = None) -> str:
        """Write a single value for people."""
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self.words["yes" if value else "no"]
        if is_number(value):
            return self._number(value, form, currency)
        if isinstance(value, datetime.datetime) and form != "date":
            return value.strftime(f"{self.date} %H:%M")
        if isinstance(value, datetime.date):
            return value.strftime(self.date)
        return " ".join(clean(str(value)).split())

    def _number(self, value: float | Decimal, form: str | None, currency: str | None) -> str:
        number = Decimal(str(value))
        if form == "text" or abs(number.adjusted()) > _MAX_SHOWN_EXPONENT:
            return f"{number:.4g}" if form != "text" else str(value)
        if form == "percent":
            return f"{self._grouped(number * 100, 1)}%"
        if form == "currency":
            amount = self._grouped(abs(number), _MAX_PLACES, fixed=True)
            return f"{'-' if number < 0 else ''}{self._symbol(currency)}{amount}"
        return self._grouped(number, max(_MAX_PLACES, _MAX_PLACES - number.adjusted()))  # three figures of a small one

    def _grouped(self, number: Decimal, places: int, *, fixed: bool = False) -> str:
        written = f"{number:,.{places}f}"
        if not fixed and "." in written:
            written = written.rstrip("0").rstrip(".")
        swap = {",": self.thousands, ".": self.decimal}
        return "".join(swap.get(char, char) for char in written)

    def _symbol(self, currency: str | None) -> str:
        symbol = self.symbols.get(currency or "", currency or "")
        gap = self.currency_gap or (" " if symbol.isalpha() and symbol else "")
        return f"{symbol}{gap}" if symbol else ""

    # --- the drawing's own -------------------------------------------------------------------------------------------

    def number_format(self, currency: str | None) -> dict[str, Any]:
        """Describe numbers to the drawing, ``$`` standing for the chart's currency."""
        symbol = [self._symbol(currency), ""]
        return {"decimal": self.decimal, "thousands": self.thousands, "grouping": [3], "currency": symbol}

    def time_format(self) -> dict[str, Any]:
        """Describe dates to the drawing."""
        return {
            "dateTime": f"{self.date} %H:%M:%S",
            "date": self.date,
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": list(self.days),
            "shortDays": [day[:3] for day in self.days],
            "months": list(self.months),
            "shortMonths": [month[:3] for month in self.months],
        }


_PT_BR: Final = Locale(
    name="pt-BR",
    decimal=",",
    thousands=".",
    symbols={"BRL": "R$", "USD": "US$", "EUR": "€", "GBP": "£"},
    currency_gap=" ",
    date="%d/%m/%Y",
    day="%d/%m",
    months=(
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
        *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    ),
    days=("domingo", "segunda", "terça", "quarta", "quinta", "sexta", "sábado"),
    words={
        "yes": "sim",
        "no": "não",
        "bar": "Gráfico de barras",
        "line": "Gráfico de linhas",
        "pie": "Gráfico de pizza",
        "area": "Gráfico de área",
        "vega": "Gráfico",
        "by": "{y} por {x}",
        "points": "{count} pontos",
        "point": "1 ponto",
        "empty": "sem dados",
        "range": "mínimo {low} ({low_at}), máximo {high} ({high_at})",
        "course": "de {first} ({first_at}) a {last} ({last_at})",
        "others": "Outros",
        "part": "{shown} de {total} pontos mostrados",
        "series": "{shown} de {total} séries mostradas",
        "panels": "{shown} de {total} painéis mostrados",
        "count": "Contagem",
        "distinct": "{field} distintos",
        "sum": "Soma de {field}",
        "mean": "Média de {field}",
        "average": "Média de {field}",
        "median": "Mediana de {field}",
        "min": "Mínimo de {field}",
        "max": "Máximo de {field}",
    },
)
_EN: Final = Locale(
    name="en",
    decimal=".",
    thousands=",",
    symbols={"BRL": "R$", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"},
    currency_gap="",
    date="%d %b %Y",
    day="%d %b",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    days=("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    words={
        "yes": "yes",
        "no": "no",
        "bar": "Bar chart",
        "line": "Line chart",
        "pie": "Pie chart",
        "area": "Area chart",
        "vega": "Chart",
        "by": "{y} by {x}",
        "points": "{count} points",
        "point": "1 point",
        "empty": "no data",
        "range": "lowest {low} ({low_at}), highest {high} ({high_at})",
        "course": "from {first} ({first_at}) to {last} ({last_at})",
        "others": "Others",
        "part": "{shown} of {total} points shown",
        "series": "{shown} of {total} series shown",
        "panels": "{shown} of {total} panels shown",
        "count": "Count",
        "distinct": "Distinct {field}",
        "sum": "Sum of {field}",
        "mean": "Mean of {field}",
        "average": "Mean of {field}",
        "median": "Median of {field}",
        "min": "Lowest {field}",
        "max": "Highest {field}",
    },
)
_LOCALES: Final = {"pt": _PT_BR, "en": _EN}


def locale_of(tag: str) -> Locale:
    """Find a locale by its tag, by its language alone, or else English."""
    return _LOCALES.get(tag.replace("_", "-").partition("-")[0].lower(), _EN)
