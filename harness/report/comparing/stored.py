"""Reports as they were stored: read from a folder or a file, of this version or an earlier one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.report.formats.run_json import SCHEMA_VERSION
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE", "StoredReport", "StoredRun", "read_report", "report_in"]

FILE = "report.json"
DEFAULT_PROFILE = "nominal"
FIX = "was it written by another program, or cut off?"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """One run of a report.

    ``figures`` is what the report adds up of the run, as it stands there; None where it does not.
    ``checks`` maps the name of each check to its verdict. ``profile`` is what the report says of
    the latencies that were drawn; one that says nothing of it was made with the default one.
    """

    scenario: str
    path: str
    node: str
    seed: int
    verdict: Verdict
    digest: str | None = None
    virtual_s: float | None = None
    checks: dict[str, str] = field(default_factory=dict)
    could_not_run: str | None = None
    profile: str = DEFAULT_PROFILE
    figures: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report: where it was found, its runs, and what they were made with."""

    where: str
    runs: tuple[StoredRun, ...]
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)


def read_report(place: Path) -> StoredReport:
    """Read the report of a folder that ``harness run --report`` wrote, or of a file of ``--json``.

    Raises:
        BadInput: There is none, it is no report of runs, or of a version that is not known.
    """
    file = _file_at(place)
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not JSON: {error}; name a report of harness run") from error
    return report_in(document, where=str(place), file=str(file))


def report_in(document: Any, *, where: str, file: str) -> StoredReport:
    """Take a report from its JSON.

    ``where`` names it to the user, ``file`` in messages.

    Raises:
        BadInput: It is no report of runs, or of a version that is not known.
    """
    _refuse_others(document, file)
    runs = _of(document, "runs", list, file)
    return StoredReport(
        where=where,
        runs=tuple(_run(one, document, f"{file}: runs[{at}]") for at, one in enumerate(runs)),
        versions=_texts(document, "versions", file),
        machine=_texts(document, "machine", file),
    )


def _file_at(place: Path) -> Path:
    if place.is_dir():
        file = place / FILE
        if file.is_file():
            return file
        if (place / "exploration.json").is_file():
            raise BadInput(_is_a_search(place))
        raise BadInput(
            f"{place}: holds no {FILE}; write one with harness run --report {place}, or, to compare"
            " two trees of code, add --run"
        )
    if not place.exists():
        raise BadInput(f"{place}: no such file or folder; name a report of harness run")
    return place


def _is_a_search(place: Path | str) -> str:
    return (
        f"{place}: is the report of a search; compare takes reports of harness run,"
        " whose runs repeat"
    )


def _refuse_others(document: Any, file: str) -> None:
    if not isinstance(document, dict):
        raise BadInput(f"{file}: must be an object, got {_short(document)}; {FIX}")
    if "result_version" in document:
        raise BadInput(_is_a_search(file))
    version = document.get("schema_version")
    if type(version) is not int:
        raise BadInput(f"{file}: has no schema_version, so it is no report of harness run; {FIX}")
    if not 1 <= version <= SCHEMA_VERSION:
        known = "1" if SCHEMA_VERSION == 1 else f"1 to {SCHEMA_VERSION}"
        raise BadInput(
            f"{file}: schema_version must be {known}, got {version}; compare with the release that"
            " wrote it"
        )


def _run(data: Any, document: dict[str, Any], where: str) -> StoredRun:
    if not isinstance(data, dict):
        raise BadInput(f"{where}: must be an object, got {_short(data)}; {FIX}")
    verdict = _of(data, "verdict", str, where)
    if verdict not in {one.value for one in Verdict}:
        raise BadInput(f"{where}.verdict: must be passed, failed or unknown, got {_short(verdict)}")
    checks = _of(data, "checks", list, where)
    virtual_s = data.get("virtual_s")
    figures = data.get("figures")
    return StoredRun(
        scenario=_of(data, "scenario", str, where),
        path=_of(data, "path", str, where),
        node=_of(data, "node", str, where),
        seed=_of(data, "seed", int, where),
        verdict=Verdict(verdict),
        digest=data.get("digest") if isinstance(data.get("digest"), str) else None,
        virtual_s=float(virtual_s) if isinstance(virtual_s, int | float) else None,
        checks={
            _of(one, "name", str, f"{where}.checks[{at}]"): _of(
                one, "verdict", str, f"{where}.checks[{at}]"
            )
            for at, one in enumerate(checks)
        },
        could_not_run=None if data.get("could_not_run") is None else str(data["could_not_run"]),
        profile=_profile(data.get("profile") or document.get("profile") or DEFAULT_PROFILE),
        figures=figures if isinstance(figures, dict) else None,
    )


def _profile(found: Any) -> str:
    if not isinstance(found, dict):
        return str(found)
    name = str(found.get("name", ""))
    return name if name == DEFAULT_PROFILE else f"{name}@{found.get('hash', '')}"


def _of(data: Any, key: str, kind: type, where: str) -> Any:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, kind) or isinstance(found, bool):
        words = {str: "a text", int: "a whole number", list: "a list"}[kind]
        raise BadInput(f"{where}.{key}: must be {words}, got {_short(found)}; {FIX}")
    return found


def _texts(document: dict[str, Any], key: str, file: str) -> dict[str, str]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise BadInput(f"{file}.{key}: must be an object, got {_short(found)}; {FIX}")
    return {str(name): str(value) for name, value in found.items()}


def _short(value: Any) -> str:
    return repr(value)[:80]
