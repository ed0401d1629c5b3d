"""Regenerates `feeds/fhir/elements.csv` from the models that fhir.resources makes of R4B.

`python tests/feeds/fhir/r4_elements.py` writes the file; a test holds it equal. R4B (4.3) differs
from R4 (4.0.1) in types that hospitals do not send; those are listed by name alone.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEADER = ("type", "base", "element", "json", "element_type", "list", "targets")
ELEMENTS = Path(__file__).parents[3] / "etl/entrepot/feeds/fhir/elements.csv"

# Resource types of R4 that R4B dropped, or whose elements it changed: known by name alone.
NAMES_ALONE = (
    "EffectEvidenceSynthesis", "Evidence", "EvidenceVariable", "MedicinalProduct",
    "MedicinalProductAuthorization", "MedicinalProductContraindication",
    "MedicinalProductIndication", "MedicinalProductIngredient", "MedicinalProductInteraction",
    "MedicinalProductManufactured", "MedicinalProductPackaged", "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect", "RiskEvidenceSynthesis", "SubstanceNucleicAcid",
    "SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation",
    "SubstanceSourceMaterial", "SubstanceSpecification",
)  # fmt: skip
# Resource types that R4B added: no R4 sender knows them.
_NEW = (
    "AdministrableProductDefinition", "Citation", "ClinicalUseDefinition", "EvidenceReport",
    "Ingredient", "ManufacturedItemDefinition", "MedicinalProductDefinition", "NutritionProduct",
    "PackagedProductDefinition", "RegulatedAuthorization", "SubscriptionStatus",
    "SubscriptionTopic", "SubstanceDefinition",
)  # fmt: skip
_MODELS = ("FHIRModel", "FHIRResourceModel", "FHIRAbstractModel", "FHIRPrimitiveExtension")
_LEFT_OUT = (*_MODELS, *_NEW, "Evidence")
_TYPE = re.compile(r"fhirtypes\.(\w+?)(?:Type)?(?![\w.])")
_PRIMITIVES = {
    "Base64Binary", "Boolean", "Canonical", "Code", "Date", "DateTime", "Decimal", "Id", "Instant",
    "Integer", "Markdown", "Oid", "PositiveInt", "String", "Time", "UnsignedInt", "Uri", "Url",
    "Uuid", "Xhtml",
}  # fmt: skip


class _Line(NamedTuple):
    type: str
    base: str = ""
    element: str = ""
    json: str = ""
    element_type: str = ""
    list: str = ""
    targets: str = ""


def rendered() -> str:
    """The CSV's text."""
    lines = sorted(_lines(), key=lambda line: (line.type, line.element, line.json))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines)
    return buffer.getvalue()


def _lines() -> Iterator[_Line]:
    from fhir.resources import R4B

    for name in NAMES_ALONE:
        yield _Line(name, "DomainResource")
    for module in sorted(Path(str(R4B.__file__)).parent.glob("*.py")):
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith(_LEFT_OUT):
                yield from _class(node)


def _class(node: ast.ClassDef) -> Iterator[_Line]:
    base = ast.unparse(node.bases[0]).rsplit(".", 1)[-1]
    yield _Line(node.name, "" if base in _MODELS else base)
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.value, ast.Call):
            line = _field(node.name, field)
            if line is not None:
                yield line


def _field(owner: str, field: ast.AnnAssign) -> _Line | None:
    assert isinstance(field.value, ast.Call)
    stated = {word.arg: word.value for word in field.value.keywords}
    name = ast.literal_eval(stated["alias"])
    annotation = ast.unparse(field.annotation)
    found = _TYPE.search(annotation)
    if name.startswith("_") or name == "fhir_comments":
        return None
    extra = ast.literal_eval(stated["json_schema_extra"])
    many = "1" if "List[" in annotation else ""
    targets = " ".join(sorted(extra.get("enum_reference_types", ())))
    element = extra.get("one_of_many", name)
    type_ = _spelled(found[1]) if found else {"bool | None": "boolean"}[annotation]
    return _Line(owner, "", element, name, type_, many, targets)


def _spelled(name: str) -> str:
    return name[0].lower() + name[1:] if name in _PRIMITIVES else name


if __name__ == "__main__":
    ELEMENTS.write_text(rendered(), encoding="utf-8")
