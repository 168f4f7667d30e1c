"""The keys of scenario files: where each is known, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from harness.checks.parameters import Parameters
from harness.history.records import NodeKind
from harness.scenario.model import Phase, Scenario, Step

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["NOT_IN_FILES", "file_keys", "known_keys", "known_kinds", "meaning_of", "stray_key"]

# Fields of a Scenario that the reader fills in.
NOT_IN_FILES = ("name", "path", "checks", "within_s")
INSTEAD = {
    "name": "the file's own name is the scenario's",
    "path": "the file's own name is the scenario's",
    "within_s": "write no_deadlock = { within_s = ... } under [check]",
}


def file_keys() -> list[str]:
    """List the keys at the top of a scenario file."""
    keys = [_key(name, field) for name, field in Scenario.model_fields.items()]
    return [*(key for key in keys if key not in NOT_IN_FILES), "check"]


def known_keys(model: type[BaseModel], names: tuple[str, ...]) -> list[str]:
    """List the keys of the table that ``names`` lead to from ``model``."""
    at = _model_at(model, names)
    if at is None:
        return []
    if at is Scenario:
        return file_keys()
    return _keys(at) + (list(NodeKind) if issubclass(at, Parameters) else [])


def known_kinds(model: type[BaseModel], names: tuple[str, ...]) -> list[str]:
    """List the kinds of tables that may stand where ``names`` lead to."""
    return [kind for one in _models_at(model, names) if (kind := _kind(one)) is not None]


def meaning_of(model: type[BaseModel], names: tuple[str, ...]) -> str:
    """Return a key's description."""
    at = _model_at(model, names[:-1])
    field = _field(at, names[-1]) if at is not None else None
    return (field.description if field is not None else None) or "see scenarios/README.md"


def stray_key(model: type[BaseModel], names: tuple[str, ...]) -> str | None:
    """Say where a misplaced key belongs, or return None."""
    key = names[-1]
    at = _model_at(model, names[:-1])
    if at is Scenario and key in INSTEAD:
        return INSTEAD[key]
    if at is not Step and key in _keys(Step):
        return 'it belongs to a step: write it under [[phase.do]], next to "call"'
    if at is not Phase and key in _keys(Phase):
        return "it belongs to a phase: write it under [[phase]], before its first [[phase.do]]"
    if at is not Scenario and key in file_keys():
        return "it belongs at the top of the file, before the first [table]"
    return None


def _model_at(model: type[BaseModel], names: tuple[str, ...]) -> type[BaseModel] | None:
    return next(iter(_models_at(model, names)), None)


def _models_at(model: type[BaseModel], names: tuple[str, ...]) -> list[type[BaseModel]]:
    """Follow keys to a table; where tables of several kinds may stand, the kind's name follows."""
    at = [model]
    for name in names:
        of_kind = [one for one in at if _kind(one) == name] if len(at) > 1 else []
        fields = [field for one in at if (field := _field(one, name)) is not None]
        at = of_kind or (_models_in(fields[0].annotation) if fields else [])
    return at


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Find the models inside an annotation such as ``list[Step] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for inner in get_args(annotation) for one in _models_in(inner)]


def _kind(model: type[BaseModel]) -> str | None:
    """Return the one value that a table's key ``kind`` can have, if there is but one."""
    field = _field(model, "kind")
    values = () if field is None else get_args(field.annotation)
    return str(values[0]) if len(values) == 1 else None


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    fields = model.model_fields.items()
    return next((field for name, field in fields if _key(name, field) == key), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [_key(name, field) for name, field in model.model_fields.items()]


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name
