"""A function of C that was imported by name is reached, on one thread, and is put back."""

from __future__ import annotations

import datetime as dt
import gc
import os
import threading
from datetime import datetime
from time import strftime
from typing import Any

import pytest

from harness.processes.below_python import (
    KNOWN,
    ClassMethodSite,
    HashSite,
    get_ident,
    original,
    reaches,
    site_of,
)
from tests.harness.processes.test_patches import elsewhere

pytestmark = pytest.mark.skipif(not KNOWN, reason="a layout of CPython that is not known")

early_now = datetime.now


@pytest.fixture
def site():
    found = site_of(strftime)
    yield found
    found.put_back()


def test_what_was_imported_by_name_calls_the_other_one(site):
    whole = original(strftime)
    site.replace(lambda *args, **kwargs: (args, kwargs), get_ident())
    gc.collect()
    replaced: Any = strftime
    assert replaced("%Y", (1,)) == (("%Y", (1,)), {})
    assert whole("%Y", (2026, 1, 1, 0, 0, 0, 0, 1, 0)) == "2026"
    site.put_back()
    assert strftime("%Y", (2026, 1, 1, 0, 0, 0, 0, 1, 0)) == "2026"


def test_what_the_other_one_raises_comes_up(site):
    def broken(*_given):
        raise LookupError("mine")

    site.replace(broken, get_ident())
    with pytest.raises(LookupError, match="mine"):
        strftime("%Y")


def test_other_threads_go_on_calling_the_original(site):
    site.replace(lambda *_given: "replaced", get_ident())
    assert elsewhere(lambda: strftime("%Y")).isdecimal()
    assert strftime("%Y") == "replaced"


def test_it_keeps_its_name_and_signature(site):
    before = strftime.__name__, strftime.__doc__, strftime.__module__
    site.replace(print, get_ident())
    assert (strftime.__name__, strftime.__doc__, strftime.__module__) == before


def test_a_loop_that_python_has_specialised_is_reached(site):
    def years():
        return [strftime("%Y") for _ in range(100)][-1]

    assert years().isdecimal()
    site.replace(lambda *_given: "replaced", get_ident())
    assert years() == "replaced"


def test_only_functions_of_c_are_reached():
    assert reaches(os.urandom)
    assert not reaches(os.path.join)
    assert not reaches(threading.Thread)
    assert original(os.path.join) is os.path.join


class Moment(datetime):
    pass


def test_a_class_method_that_was_bound_before_is_reached():
    site, failed = ClassMethodSite(datetime, "now"), []
    site.replace(
        lambda kind, tz=None: kind.fromtimestamp(60, tz or dt.UTC),
        get_ident(),
        failed=failed.append,
    )
    try:
        moment = dt.datetime(1970, 1, 1, 0, 1, tzinfo=dt.UTC)
        assert early_now() == early_now(dt.UTC) == early_now(tz=dt.UTC) == moment
        assert type(Moment.now()) is Moment
        assert elsewhere(lambda: early_now(dt.UTC)) > moment
        wrong: Any = 5
        assert early_now(wrong) == moment
    finally:
        site.put_back()
    assert [type(one) for one in failed] == [TypeError]
    assert early_now(dt.UTC) > moment


def test_a_hash_is_replaced_and_put_back():
    # A class of C that nobody else hashes meanwhile.
    kind = type(memoryview(b"").__iter__())
    things = [memoryview(b"a").__iter__() for _ in range(3)]
    before = [hash(one) for one in things]
    site = HashSite(kind, things.index)
    site.replace()
    assert [hash(one) for one in things] == [0, 1, 2]
    site.put_back()
    assert [hash(one) for one in things] == before
