"""The corpus of regressions: failures that were found once, kept as files, replayed first."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, CouldNotRun
from harness.results.whole_file import make_directory, write_whole
from harness.results.wording import one_line, shortened
from harness.search.failures.investigation import carry_out, investigate
from harness.search.failures.token import Token
from harness.search.pieces.piece import subject_of
from harness.simulated.world.profile_reading import profile_again

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results.explorations import FoundFailure
    from harness.scenario.model import Scenario
    from harness.search.subjects.scenario import ScenarioSubject

__all__ = [
    "FOLDER",
    "Regression",
    "read_regression",
    "refuse_folders",
    "regression_subject",
    "regressions_of",
    "replay_regression",
    "save_regression",
]

FOLDER = "regressions"
KEYS = ("scenario", "token", "cause", "found")
SLUG_MAX = 40
FOUND_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A failure that was found once and must not come back.

    ``path`` is its own file, ``scenario`` that of its scenario. ``found`` says how it was found.
    """

    path: Path
    scenario: Path
    token: Token
    cause: str
    found: str


def read_regression(path: Path) -> Regression:
    """Read one file of the corpus; its scenario's path is relative to its own folder.

    Raises:
        BadInput: The file, its token or its scenario is broken; the message says where.
    """
    data = _table(path)
    wrong = [key for key in KEYS if not isinstance(data.get(key), str)]
    if wrong:
        raise BadInput(
            f"{path}: {wrong[0]} must be a text, got {data.get(wrong[0])!r};"
            f" a regression has {', '.join(KEYS)}"
        )
    unknown = sorted(data.keys() - set(KEYS))
    if unknown:
        known = ", ".join(KEYS)
        raise BadInput(f"{path}: {unknown[0]}: no such key; a regression has {known}")
    scenario = Path(os.path.normpath(path.parent / data["scenario"]))
    if not _is_file(scenario):
        raise BadInput(
            f"{path}: scenario must be a file, seen from this one's folder, got"
            f' "{one_line(shortened(data["scenario"], FOUND_MAX))}"; mend the path, or remove the'
            " file if the scenario is gone"
        )
    try:
        token = Token.read(data["token"])
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    if Path(token.subject).name != scenario.name:
        of = one_line(shortened(token.subject, FOUND_MAX))
        raise BadInput(
            f"{path}: token must be of its scenario, {scenario.name}, got one of {of}; name that"
            " scenario, or find the failure again with --save, and remove this file"
        )
    return Regression(
        path=path, scenario=scenario, token=token, cause=data["cause"], found=data["found"]
    )


def _table(path: Path) -> dict[str, Any]:
    fix = "mend it, or remove the file"
    try:
        # A pipe would be waited for without end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput(f"{path}: must be a file of text; remove what else is there")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: is nested too deeply; {fix}") from error
    except ValueError as error:
        raise BadInput(f"{path}: is not TOML in UTF-8: {error}; {fix}") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def regressions_of(
    scenarios: Iterable[Scenario], *, folder: Path | None = None
) -> tuple[Regression, ...]:
    """Read what the corpus holds of some scenarios, whose paths stay as they are given.

    The corpus is the folder ``regressions`` beside each scenario, and ``folder`` if it is given.

    Raises:
        BadInput: A file of the corpus is broken; all that are, are told.
    """
    wanted = {Path(one.path).resolve(): Path(one.path) for one in scenarios}
    folders = dict.fromkeys([*(one.parent / FOLDER for one in sorted(wanted)), folder])
    found, broken = {}, []
    for place in folders:
        for path in sorted(place.glob("*.toml")) if place is not None else ():
            try:
                found[path.resolve()] = read_regression(path)
            except BadInput as error:
                broken.append(str(error))
    if broken:
        raise BadInput("\n".join(dict.fromkeys(broken)))
    return tuple(
        replace(one, scenario=wanted[one.scenario.resolve()])
        for one in found.values()
        if one.scenario.resolve() in wanted
    )


def regression_subject(regression: Regression, *, system: str | None) -> ScenarioSubject:
    """Make what a regression is replayed on: its scenario, as its token says, on a system.

    Raises:
        BadInput: The scenario or the system cannot be used.
    """
    token = regression.token
    profile = profile_again(token.profile, None, what=f"{regression.path}: token")
    terms = replace(token.terms, system=system, profile=profile)
    return subject_of(str(regression.scenario), terms, dropped=token.dropped)


def replay_regression(regression: Regression, *, system: str | None) -> FoundFailure | None:
    """Replay a regression on the system as it is: its failure if it fails again, in any way.

    Raises:
        BadInput: The scenario or the system cannot be used.
        CouldNotRun: The run could not be carried out, so nothing is known.
    """
    with regression_subject(regression, system=system) as subject:
        attempt = carry_out(subject, regression.token.tape)
        if attempt.failure is None and attempt.unknown is not None:
            raise CouldNotRun(f"{regression.path}: could not be replayed: {attempt.unknown}")
        if attempt.failure is None:
            return None
        return investigate(
            subject, attempt, attempt.failure, runs=1, strategy=f"regression {regression.path.name}"
        )


def refuse_folders(scenarios: Iterable[Scenario], *, folder: Path | None) -> None:
    """Refuse, before anything is run, a place for regressions that is no folder.

    Raises:
        BadInput: There is a file in the place of ``folder``, or of the one beside a scenario.
    """
    beside = sorted({Path(one.path).parent / FOLDER for one in scenarios})
    for place in [folder] if folder is not None else beside:
        if place.exists() and not place.is_dir():
            raise BadInput(f"{place}: must be a folder for regressions; move what is there")


def save_regression(
    failure: FoundFailure, scenario: Scenario, *, folder: Path | None = None, found: str
) -> Path | None:
    """Save a failure into the corpus; None if it is there already.

    Raises:
        BadInput: The folder cannot be made, or the file cannot be written.
    """
    path = Path(scenario.path)
    place = folder or path.parent / FOLDER
    make_directory(place)
    name = hashlib.sha256(failure.token.encode()).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "_", failure.cause.lower()).strip("_")[:SLUG_MAX].strip("_")
    file = place / f"{scenario.name}-{slug or 'failure'}-{name}.toml"
    if file.exists():
        return None
    beside = os.path.relpath(path.resolve(), place.resolve())
    values = {
        "scenario": Path(beside).as_posix(),
        "token": failure.token,
        "cause": failure.cause,
        "found": shortened(found, FOUND_MAX),
    }
    # What JSON writes of a printable text is a TOML string, too.
    lines = [
        f"{key} = {json.dumps(one_line(value), ensure_ascii=False)}\n"
        for key, value in values.items()
    ]
    write_whole({file: "".join(lines)})
    return file
