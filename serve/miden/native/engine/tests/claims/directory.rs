use std::fs;
use std::path::Path;

use miden_client::Serializable;
use mosaic_miden_engine::directory::{CLIENT_ID_SETTING, Directory};
use mosaic_miden_engine::{Code, Failure};
use rusqlite::Connection;

use crate::Scratch;

const GENESIS: &str = "0x00";

/// Makes what a client leaves behind: a marker, and a store that repeats its id.
fn settled(path: &Path) {
    let mut directory = Directory::hold(path, "mlcl").unwrap();
    write_store(&directory.store_path(), &directory.marker().client_id);
    directory.settle(GENESIS).unwrap();
}

fn write_store(path: &Path, client_id: &str) {
    let store = Connection::open(path).unwrap();
    store
        .execute_batch("CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB)")
        .unwrap();
    let value = client_id.to_owned().to_bytes();
    store
        .execute(
            "INSERT INTO settings VALUES (?1, ?2)",
            (CLIENT_ID_SETTING, value),
        )
        .unwrap();
}

fn refused(path: &Path) -> Failure {
    Directory::hold(path, "mlcl").unwrap_err()
}

#[test]
fn a_directory_is_made_and_known_again() {
    let scratch = Scratch::new();
    let path = scratch.path().join("deep/client");
    settled(&path);
    let directory = Directory::hold(&path, "mlcl").unwrap();
    assert_eq!(directory.marker().genesis.as_deref(), Some(GENESIS));
}

#[test]
fn a_second_client_is_refused_until_the_first_lets_go() {
    let scratch = Scratch::new();
    let held = Directory::hold(scratch.path(), "mlcl").unwrap();
    assert_eq!(refused(scratch.path()).code, Code::StoreInUse);
    drop(held);
    Directory::hold(scratch.path(), "mlcl").unwrap();
}

#[test]
fn an_empty_store_is_refused_and_left_as_it_was() {
    let scratch = Scratch::new();
    settled(scratch.path());
    let store = scratch.path().join("miden.sqlite3");
    fs::write(&store, b"").unwrap();
    let failure = refused(scratch.path());
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.message.contains("is empty"), "{failure}");
    assert_eq!(fs::metadata(&store).unwrap().len(), 0);
}

#[test]
fn a_missing_store_is_refused() {
    let scratch = Scratch::new();
    settled(scratch.path());
    fs::remove_file(scratch.path().join("miden.sqlite3")).unwrap();
    let failure = refused(scratch.path());
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.message.contains("missing"), "{failure}");
}

#[test]
fn a_store_that_is_not_sqlite_is_refused() {
    let scratch = Scratch::new();
    settled(scratch.path());
    fs::write(scratch.path().join("miden.sqlite3"), [7; 4096]).unwrap();
    let failure = refused(scratch.path());
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.chain[0].contains("not a database"), "{failure}");
}

#[test]
fn a_directory_in_the_place_of_the_store_is_refused() {
    let scratch = Scratch::new();
    settled(scratch.path());
    let store = scratch.path().join("miden.sqlite3");
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    assert_eq!(refused(scratch.path()).code, Code::StoreFailed);
}

#[test]
fn a_foreign_database_is_refused_and_not_migrated() {
    let scratch = Scratch::new();
    settled(scratch.path());
    let store = scratch.path().join("miden.sqlite3");
    fs::remove_file(&store).unwrap();
    let foreign = Connection::open(&store).unwrap();
    foreign
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .unwrap();
    drop(foreign);
    let before = fs::read(&store).unwrap();
    let failure = refused(scratch.path());
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.chain[0].contains("no such table"), "{failure}");
    assert_eq!(fs::read(&store).unwrap(), before);
}

#[test]
fn the_store_of_another_client_is_refused() {
    let scratch = Scratch::new();
    let (mine, theirs) = (scratch.path().join("mine"), scratch.path().join("theirs"));
    settled(&mine);
    settled(&theirs);
    fs::copy(theirs.join("miden.sqlite3"), mine.join("miden.sqlite3")).unwrap();
    let failure = refused(&mine);
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.message.contains("another client"), "{failure}");
}

#[test]
fn the_store_of_another_network_is_refused() {
    let scratch = Scratch::new();
    settled(scratch.path());
    let failure = Directory::hold(scratch.path(), "mtst").unwrap_err();
    assert_eq!(failure.code, Code::NetworkMismatch);
}

#[test]
fn files_without_a_marker_are_refused() {
    for name in ["miden.sqlite3", "keystore"] {
        let scratch = Scratch::new();
        fs::write(scratch.path().join(name), b"").unwrap();
        let failure = refused(scratch.path());
        assert_eq!(failure.code, Code::StoreFailed);
        assert!(
            failure.message.contains("client.marker does not"),
            "{failure}"
        );
    }
}

#[test]
fn a_marker_that_is_not_one_is_refused() {
    let texts = [
        "",
        "something else",
        "mosaic-miden-client 1\nnetwork mlcl\n",
    ];
    for text in texts {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("client.marker"), text).unwrap();
        let failure = refused(scratch.path());
        assert!(failure.message.contains("not a marker"), "{failure}");
    }
}

#[test]
fn an_opening_that_never_finished_starts_afresh() {
    let tables = "CREATE TABLE latest_account_headers (id INTEGER)";
    for left_behind in ["", "PRAGMA user_version = 1", tables] {
        let scratch = Scratch::new();
        drop(Directory::hold(scratch.path(), "mlcl").unwrap());
        let store = scratch.path().join("miden.sqlite3");
        Connection::open(&store)
            .unwrap()
            .execute_batch(left_behind)
            .unwrap();
        let directory = Directory::hold(scratch.path(), "mlcl").unwrap();
        assert!(directory.marker().genesis.is_none());
        assert!(!store.exists(), "{left_behind}");
    }
}

#[test]
fn what_an_unfinished_opening_cannot_have_made_is_kept() {
    let accounts = "CREATE TABLE latest_account_headers (id INTEGER);
                    INSERT INTO latest_account_headers VALUES (1)";
    for foreign in ["CREATE TABLE recipes (name TEXT)", accounts] {
        let scratch = Scratch::new();
        drop(Directory::hold(scratch.path(), "mlcl").unwrap());
        let store = scratch.path().join("miden.sqlite3");
        Connection::open(&store)
            .unwrap()
            .execute_batch(foreign)
            .unwrap();
        assert_eq!(refused(scratch.path()).code, Code::StoreFailed, "{foreign}");
        assert!(store.exists());
    }
}
