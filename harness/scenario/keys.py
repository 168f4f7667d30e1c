"""The keys of scenario files: where each is known, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from harness.checks.parameters import Parameters
from harness.history.records import NodeKind
from harness.scenario.model import Phase, Scenario, Step

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["NOT_IN_FILES", "file_keys", "known_keys", "meaning_of", "stray_key"]

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
    at: type[BaseModel] | None = model
    for name in names:
        field = _field(at, name) if at is not None else None
        at = _model_in(field.annotation) if field is not None else None
    return at


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model inside an annotation such as ``list[Step] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(one) for one in get_args(annotation))
    return next((one for one in inner if one is not None), None)


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    fields = model.model_fields.items()
    return next((field for name, field in fields if _key(name, field) == key), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [_key(name, field) for name, field in model.model_fields.items()]


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name
