"""The tree of all keys there are, seen beside the tree an operator wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from daemon.config.models import Document
from daemon.config.source import Place
from daemon.config.table import Table

Shape = Literal["table", "list", "named"]
"""How tables stand under a key: one, several in a row, or several by names the operator chose."""

EACH = "*"
"""Stands in a place for any position in a list, or any name an operator chose."""


def keys_of(model: type[Table]) -> dict[str, FieldInfo]:
    """The keys of one table, as they are written."""
    return {str(field.validation_alias or name): field for name, field in model.model_fields.items()}


def nested(annotation: object) -> tuple[Shape, type[Table]] | None:
    """The tables under a key of this type; None for a key with a plain value."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return "table", annotation
    if origin is tuple or origin is dict:
        inner = nested(parts[0] if origin is tuple else parts[1])
        return inner and ("list" if origin is tuple else "named", inner[1])
    if origin is Annotated:
        return nested(parts[0])
    return next((found for part in parts if (found := nested(part))), None) if origin is not Literal else None


def all_keys(model: type[Table] = Document, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Every key there is with its place, those of lists and named tables under `EACH`."""
    for key, field in keys_of(model).items():
        here = (*place, key)
        yield here, field
        if inside := nested(field.annotation):
            shape, below = inside
            yield from all_keys(below, here if shape == "table" else (*here, EACH))


def tables(
    tree: object, model: type[Table] = Document, place: Place = ()
) -> Iterator[tuple[Place, type[Table], Mapping[str, Any]]]:
    """Every table an operator wrote where a table belongs, with its model; passes over everything misshapen."""
    if not isinstance(tree, dict):
        return
    yield place, model, tree
    for key, field in keys_of(model).items():
        if key in tree and (inside := nested(field.annotation)):
            shape, below = inside
            for step, child in _children(tree[key], shape):
                yield from tables(child, below, (*place, key, *step))


def _children(value: object, shape: Shape) -> Iterator[tuple[Place, object]]:
    if shape == "table":
        yield (), value
    elif shape == "list" and isinstance(value, list):
        yield from (((number,), child) for number, child in enumerate(value))
    elif shape == "named" and isinstance(value, dict):
        yield from (((name,), child) for name, child in value.items())


def model_at(place: Place, root: type[Table] = Document) -> type[Table] | None:
    """The model of the table at `place`, or None where no table belongs."""
    model: type[Table] | None = root
    rest = place
    while rest and model is not None:
        field = keys_of(model).get(str(rest[0]))
        inside = nested(field.annotation) if field else None
        shape, model = inside or ("table", None)
        rest = rest[1:] if shape == "table" else rest[2:]
    return model


def field_at(place: Place, root: type[Table] = Document) -> tuple[Place, FieldInfo] | None:
    """The key at `place` or the nearest around it, with its own place; None where there is none."""
    for end in range(len(place), 0, -1):
        model = model_at(place[: end - 1], root)
        field = keys_of(model).get(str(place[end - 1])) if model else None
        if field is not None:
            return place[:end], field
    return None
