use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;

use miden_client::account::Account;
use miden_client::auth::AuthSecretKey;
use miden_client::keystore::{FilesystemKeyStore, Keystore};
use mosaic_miden_engine::Code;
use mosaic_miden_engine::account::{AccountSpec, KeyScheme, build};
use mosaic_miden_engine::keys::DurableKeys;
use tokio::runtime::Builder;

use crate::Scratch;

fn wait<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn wallet(key_scheme: KeyScheme) -> (Account, AuthSecretKey) {
    build(&AccountSpec {
        public: false,
        key_scheme,
        faucet: None,
    })
    .unwrap()
}

#[test]
fn the_library_reads_back_every_key_and_its_account() {
    let scratch = Scratch::new();
    let keys = DurableKeys::open(scratch.path()).unwrap();
    let wallets = [wallet(KeyScheme::Falcon), wallet(KeyScheme::Ecdsa)];
    for (account, key) in &wallets {
        wait(keys.add(key, account.id())).unwrap();
    }
    let library = FilesystemKeyStore::new(scratch.path().to_owned()).unwrap();
    for (account, key) in &wallets {
        let found = wait(library.get_keys_for_account(&account.id())).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0] == *key);
    }
}

#[test]
fn a_keystore_that_is_opened_again_keeps_the_earlier_accounts_in_its_index() {
    let scratch = Scratch::new();
    let (one, other) = (wallet(KeyScheme::Ecdsa), wallet(KeyScheme::Ecdsa));
    for (account, key) in [&one, &other] {
        let keys = DurableKeys::open(scratch.path()).unwrap();
        wait(keys.add(key, account.id())).unwrap();
    }
    let library = FilesystemKeyStore::new(scratch.path().to_owned()).unwrap();
    for (account, _) in [&one, &other] {
        let found = wait(library.get_account_key_commitments(&account.id())).unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[test]
fn only_whole_keys_and_the_index_are_left_and_only_their_owner_reads_them() {
    let scratch = Scratch::new();
    let keys = DurableKeys::open(scratch.path()).unwrap();
    let (account, key) = wallet(KeyScheme::Ecdsa);
    wait(keys.add(&key, account.id())).unwrap();
    let staged = scratch.path().join("staging");
    assert_eq!(fs::read_dir(&staged).unwrap().count(), 0);
    let mode = fs::read_dir(scratch.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("0x"))
        .map(|entry| entry.metadata().unwrap().permissions().mode() & 0o777)
        .collect::<BTreeSet<_>>();
    assert_eq!(mode, BTreeSet::from([0o600]));
}

#[test]
fn what_an_interrupted_write_left_is_removed_at_the_next_opening() {
    let scratch = Scratch::new();
    let staged = scratch.path().join("staging");
    fs::create_dir_all(&staged).unwrap();
    fs::write(staged.join("0xhalf"), b"half a key").unwrap();
    DurableKeys::open(scratch.path()).unwrap();
    assert!(!staged.exists());
}

#[test]
fn an_index_that_is_not_one_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("key_index.json"), b"{").unwrap();
    let failure = DurableKeys::open(scratch.path()).err().unwrap();
    assert_eq!(failure.code, Code::StoreFailed);
    assert!(failure.chain[0].contains("index"), "{failure}");
}
