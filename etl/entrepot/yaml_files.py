"""Reads a YAML file into a typed model; a fault names the file, the line and the key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from entrepot.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)
# libyaml's, where PyYAML was built with it: a hundred mapping files in 0.2 s instead of 2 s
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file as a `model`.

    Raises:
        ConfigurationError: unreadable, not YAML, or a key that the model does not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return model.model_validate(yaml.load(text, Loader=_LOADER) or {})  # noqa: S506 - a safe one
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigurationError("not YAML", where=f"{path}{line}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        line_number = _line(yaml.compose(text, Loader=yaml.SafeLoader), first["loc"])
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{key}: {first['msg']}", where=f"{path}:{line_number}", remedy="mend this line"
        ) from None


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """The 1-based line of the deepest part of `location` that the file has."""
    line = 1
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        node, line = found
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item, item.start_mark.line + 1
    return None
