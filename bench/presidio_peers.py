"""Presidio as installed, and Presidio with twelve French patterns: what others would start from."""

from __future__ import annotations

from typing import Any

CIVIL = r"(?:M|Mr|MM|Mme|Mlle|Dr|Pr|Monsieur|Madame|Docteur|Professeur)\.?"
MONTHS = (
    r"(?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre"
    r"|d[ée]cembre)"
)
NAME = r"[A-ZÉÈÀÂÎÔÇ][\wÀ-ÿ'\-]+"
# Written once from how French documents are written, and never tuned on the texts scored here.
PATTERNS: dict[str, tuple[str, str]] = {
    "NIR": ("SECU", r"\b[1-478](?:[ .\-]?\d){12}(?:[ .\-]?\d{2})?\b"),
    "telephone": ("TEL", r"(?:\+33 ?|\b0)[1-9](?:[ .\-]?\d{2}){4}\b"),
    "patient number": ("IPP", r"(?i:\b(?:IPP|NIP|dossier)\b)[ :n°]*\d[\d ]{5,12}\d"),
    "stay number": ("NDA", r"(?i:\b(?:NDA|IEP|s[ée]jour|venue)\b)[ :n°]*\d[\d ]{5,12}\d"),
    "date in figures": (
        "DATE",
        r"\b(?:\d{1,2} ?[/.\-] ?\d{1,2} ?[/.\-] ?(?:\d{4}|\d{2})|\d{4}-\d\d-\d\d|\d{1,2}/\d{4})\b",
    ),
    "date in words": (
        "DATE",
        rf"(?i:\b(?:\d{{1,2}}(?:er)? {MONTHS}(?: \d{{4}})?|{MONTHS} \d{{4}})\b)",
    ),
    "birth date": ("DATE_NAISSANCE", r"(?i:\bn[ée]+ ?e?\)? le )[^\n,;)]{6,20}"),
    "postcode and town": ("VILLE", rf"\b\d{{5}}\b(?: {NAME}(?:[ \-]{NAME})*)?"),
    "address": (
        "ADRESSE",
        r"(?i:\b\d{1,4}(?: ?bis| ?ter)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse"
        r"|all[ée]e|quai|route)\b)[^\n,]{2,40}",
    ),
    "name after a title": ("NOM", rf"\b{CIVIL} (?:{NAME}[ \-]?){{1,3}}"),
    "name in capitals": (
        "NOM",
        rf"\b(?:[A-ZÉÈ][A-ZÉÈ\-']{{2,}} {NAME}|{NAME} [A-ZÉÈ][A-ZÉÈ\-']{{2,}})\b",
    ),
    "hospital": (
        "HOPITAL",
        r"\b(?:CHU|CHR|CHRU|CH|HEGP|APHP|AP-HP|[Hh][ôo]pital|[Cc]linique|EHPAD)(?: d[eu]s?)?"
        rf"(?: {NAME})?",
    ),
}


def stock() -> Any:
    """An AnalyzerEngine with the recognisers that Presidio ships for no country, and no model."""
    from presidio_analyzer import predefined_recognizers as shipped

    names = (
        "EmailRecognizer", "IbanRecognizer", "IpRecognizer", "UrlRecognizer",
        "CreditCardRecognizer", "DateRecognizer",
    )  # fmt: skip
    found = [getattr(shipped, name)(supported_language="fr") for name in names]
    return _engine([*found, shipped.PhoneRecognizer(supported_language="fr")])


def patterned() -> Any:
    """The same with the French patterns."""
    from presidio_analyzer import Pattern, PatternRecognizer

    engine = stock()
    for name, (entity, expression) in PATTERNS.items():
        engine.registry.add_recognizer(
            PatternRecognizer(
                supported_entity=entity, name=name, supported_language="fr",
                patterns=[Pattern(name, expression, 0.6)], global_regex_flags=0,
            )
        )  # fmt: skip
    return engine


def _engine(recognizers: list[Any]) -> Any:
    """spaCy's blank French pipeline cuts words for Presidio's context; it knows no name."""
    import logging

    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # asks the network for its list

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"fr": spacy.blank("fr")}

    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["fr"])
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["fr"])
