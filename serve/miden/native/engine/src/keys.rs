//! Secret keys on disk, durably and all at once, in the form that `FilesystemKeyStore` reads.
//!
//! The library truncates and writes a key file in place and does not sync it. Here the library
//! writes into a staging directory beside the keys; then each file is synced and renamed into
//! place, so that a key is either there as a whole or not at all.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use miden_client::Word;
use miden_client::account::AccountId;
use miden_client::auth::AuthSecretKey;
use miden_client::keystore::{FilesystemKeyStore, Keystore};

use crate::failure::{Code, Failure};

const STAGING: &str = "staging";
const INDEX: &str = "key_index.json";

/// The writing half of a keystore; the client signs through a `FilesystemKeyStore` of its own.
pub struct DurableKeys {
    directory: PathBuf,
    /// The library's keystore, pointed at the staging directory; holds the whole index.
    staged: FilesystemKeyStore,
}

impl DurableKeys {
    /// Opens the keystore and removes what an interrupted write left in staging.
    ///
    /// # Errors
    /// `StoreFailed` if the directory or its index cannot be read.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        let mut staged = FilesystemKeyStore::new(directory.to_owned())
            .map_err(|error| failed(directory, &error))?;
        let staging = directory.join(STAGING);
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(|error| failed(&staging, &error))?;
        }
        staged.keys_directory = staging;
        Ok(Self {
            directory: directory.to_owned(),
            staged,
        })
    }

    /// Puts a key on disk; when this returns, the key outlives a power cut.
    ///
    /// # Errors
    /// `StoreFailed` if anything could not be written; no key file has appeared then, or a whole one.
    pub async fn add(&self, key: &AuthSecretKey, account: AccountId) -> Result<(), Failure> {
        let staging = &self.staged.keys_directory;
        let name = Word::from(key.public_key().to_commitment()).to_hex();
        fs::create_dir_all(staging).map_err(|error| failed(staging, &error))?;
        self.staged
            .add_key(key, account)
            .await
            .map_err(|error| failed(staging, &error))?;
        self.move_into_place(&name)
            .and_then(|()| self.move_into_place(INDEX))
            .and_then(|()| File::open(&self.directory)?.sync_all())
            .map_err(|error| failed(&self.directory, &error))
    }

    fn move_into_place(&self, name: &str) -> std::io::Result<()> {
        let staged = self.staged.keys_directory.join(name);
        File::open(&staged)?.sync_all()?;
        fs::rename(&staged, self.directory.join(name))
    }
}

fn failed(path: &Path, error: &(dyn Error + 'static)) -> Failure {
    let message = format!("{}: the keystore failed", path.display());
    Failure::caused_by(Code::StoreFailed, message, error)
}
