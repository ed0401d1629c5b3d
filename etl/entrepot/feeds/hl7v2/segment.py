"""One segment of a message: split into fields when first asked, unescaped part by part."""

from __future__ import annotations

from entrepot.feeds.hl7v2.syntax import NULL, Syntax

Notices = dict[tuple[str, str], None]  # code and position: a set that keeps its order


class Segment:
    """One segment; fields, repetitions, components and sub-components count from 1.

    Args:
        name: three characters.
        raw: its text, separators and escapes as sent, without the line end.
        index: position in the message, counted from 1.
        number: position among the segments of its name, counted from 1.
    """

    __slots__ = ("_fields", "_notices", "_syntax", "index", "name", "number", "raw")

    def __init__(
        self, syntax: Syntax, notices: Notices, name: str, raw: str, index: int, number: int
    ) -> None:
        self.name, self.raw, self.index, self.number = name, raw, index, number
        self._syntax, self._notices = syntax, notices
        self._fields: list[str] | None = None

    def field(self, n: int) -> str:
        """Field `n` as sent; '' when absent."""
        fields = self._fields or self._split()
        return fields[n] if n < len(fields) else ""

    def count(self) -> int:
        """Number of the last field sent, empty ones included."""
        return len(self._fields or self._split()) - 1

    def filled(self) -> list[int]:
        """Numbers of the fields that hold something."""
        fields = self._fields or self._split()
        return [n for n, raw in enumerate(fields) if raw and n]

    def repetitions(self, n: int) -> list[str]:
        """The repetitions of field `n` as sent; [] when the field is absent."""
        raw = self.field(n)
        return raw.split(self._syntax.repetition) if raw else []

    def component(self, n: int, rep: int = 1, comp: int = 1, sub: int = 1) -> str:
        """One sub-component, unescaped; '' when absent.

        A null (`""`) of a field, repetition or component is the null of all its parts.
        """
        fields = self._fields or self._split()
        if n >= len(fields) or not (raw := fields[n]):
            return ""
        syntax = self._syntax
        if syntax.repetition in raw:
            repetitions = raw.split(syntax.repetition)
            raw = repetitions[rep - 1] if rep <= len(repetitions) else ""
        elif rep != 1:
            return ""
        if comp == sub == 1 and syntax.component not in raw and syntax.subcomponent not in raw:
            return self._unescaped(raw, n) if syntax.escape in raw else raw
        return self.part(raw, n, comp, sub)

    def part(self, raw: str, n: int, comp: int, sub: int = 1) -> str:
        """One sub-component of `raw`, a repetition of field `n`, unescaped."""
        if raw == NULL:
            return raw
        syntax = self._syntax
        if syntax.component in raw:
            parts = raw.split(syntax.component)
            raw = parts[comp - 1] if comp <= len(parts) else ""
        elif comp != 1:
            return ""
        if syntax.subcomponent in raw:
            parts = raw.split(syntax.subcomponent)
            raw = parts[sub - 1] if sub <= len(parts) else ""
        elif sub != 1 and raw != NULL:
            return ""
        return self._unescaped(raw, n) if syntax.escape in raw else raw

    def text(self, n: int, rep: int | None = None) -> str:
        """A whole field, or one repetition of it, unescaped.

        Several components or sub-components stay joined by `^` and `&` whatever the message's own
        separators are: a text whose author did not escape them is whole again, and an SN or ED
        value can be read. Repetitions become lines, as the norm shows those of a TX (2.A.78).
        """
        fields = self._fields or self._split()
        if n >= len(fields) or not (raw := fields[n]):
            return ""
        repetition = self._syntax.repetition
        if repetition not in raw:
            return self.whole(raw, n) if rep is None or rep == 1 else ""
        repetitions = raw.split(repetition)
        if rep is not None:
            return self.whole(repetitions[rep - 1], n) if rep <= len(repetitions) else ""
        return "\n".join([self.whole(repetition, n) for repetition in repetitions])

    def whole(self, raw: str, n: int) -> str:
        """`raw`, a repetition of field `n`, as `text` gives it."""
        if not self._syntax.canonical:
            return "^".join(["&".join(subcomponents) for subcomponents in self._parts(raw, n)])
        return self._unescaped(raw, n) if self._syntax.escape in raw else raw

    def tree(self, n: int) -> list[list[list[str]]]:
        """Every repetition × component × sub-component of field `n`, unescaped."""
        fields = self._fields or self._split()
        if n >= len(fields) or not (raw := fields[n]):
            return []
        syntax = self._syntax
        if syntax.repetition in raw:
            return [self._parts(repetition, n) for repetition in raw.split(syntax.repetition)]
        if syntax.component not in raw and syntax.subcomponent not in raw:
            return [[[self._unescaped(raw, n) if syntax.escape in raw else raw]]]
        return [self._parts(raw, n)]

    @property
    def place(self) -> str:
        """The segment's own place (`OBX[4]`)."""
        return f"{self.name}[{self.number}]"

    def position(self, n: int) -> str:
        """Where field `n` stands (`OBX[4]-5`), for faults and notices."""
        return f"{self.name}[{self.number}]-{n}"

    def _parts(self, raw: str, n: int) -> list[list[str]]:
        syntax = self._syntax
        parts = raw.split(syntax.component) if syntax.component in raw else [raw]
        if syntax.subcomponent in raw:
            tree = [part.split(syntax.subcomponent) for part in parts]
        else:
            tree = [[part] for part in parts]
        escape = syntax.escape
        if escape not in raw:
            return tree
        return [
            [self._unescaped(text, n) if escape in text else text for text in part] for part in tree
        ]

    def _split(self) -> list[str]:
        self._fields = self.raw.split(self._syntax.field)
        return self._fields

    def _unescaped(self, raw: str, n: int) -> str:
        text, codes = self._syntax.unescape(raw)
        for code in codes:
            self._notices[code, self.position(n)] = None
        return text


class Header(Segment):
    """MSH: field 1 is the field separator itself, field 2 the others, never split (2.14.9)."""

    __slots__ = ()

    def repetitions(self, n: int) -> list[str]:
        """As of any segment; MSH-1 and MSH-2 have one."""
        return [self.field(n)] if n <= 2 else super().repetitions(n)

    def component(self, n: int, rep: int = 1, comp: int = 1, sub: int = 1) -> str:
        """As of any segment; MSH-1 and MSH-2 have one."""
        if n > 2:
            return super().component(n, rep, comp, sub)
        return self.field(n) if rep == comp == sub == 1 else ""

    def part(self, raw: str, n: int, comp: int, sub: int = 1) -> str:
        """As of any segment; MSH-1 and MSH-2 have one."""
        if n > 2:
            return super().part(raw, n, comp, sub)
        return raw if comp == sub == 1 else ""

    def text(self, n: int, rep: int | None = None) -> str:
        """As of any segment; MSH-1 and MSH-2 as sent."""
        return self.field(n) if n <= 2 else super().text(n, rep)

    def whole(self, raw: str, n: int) -> str:
        """As of any segment; MSH-1 and MSH-2 as sent."""
        return raw if n <= 2 else super().whole(raw, n)

    def tree(self, n: int) -> list[list[list[str]]]:
        """As of any segment; MSH-1 and MSH-2 have one part."""
        return [[[self.field(n)]]] if n <= 2 else super().tree(n)

    def _split(self) -> list[str]:
        fields = super()._split()
        fields.insert(1, self._syntax.field)
        return fields
