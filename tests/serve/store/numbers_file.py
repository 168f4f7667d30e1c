"""A kind of SQLite file that tests of the store keep numbers in."""

from __future__ import annotations

from serve.store.schema import Schema

SCHEMA = Schema(
    name="test.sqlite3",
    application_id=77,
    versions=(("CREATE TABLE numbers (n INTEGER NOT NULL) STRICT",),),
)


def insert(number):
    return lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (number,))


def select(connection):
    return [row[0] for row in connection.execute("SELECT n FROM numbers ORDER BY rowid")]
