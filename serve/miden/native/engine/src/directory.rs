//! A client's directory: who holds it, and whether what lies in it is ours.
//!
//! The library takes an empty or a foreign SQLite file for a new store without a word. So the
//! directory carries a marker, `client.marker`, that is written before the store is made and
//! names the network, the genesis and a random client id that the store holds as well.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use miden_client::Deserializable;
use rand::RngCore;
use rusqlite::{Connection, OpenFlags};

use crate::failure::{Code, Failure};

/// The setting of the store that repeats the marker's client id.
pub const CLIENT_ID_SETTING: &str = "mosaic.client_id";

const STORE: &str = "miden.sqlite3";
const MARKER: &str = "client.marker";
const MARKER_HEADER: &str = "mosaic-miden-client 1";

/// Never creates, but writable, so that SQLite can roll back what a crash left half done.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// `mtst` or `mlcl`.
    pub network: String,
    /// The genesis commitment; None while the store is being made.
    pub genesis: Option<String>,
    /// 32 random hex digits, to tell this store from any other.
    pub client_id: String,
}

/// A directory held exclusively; dropping it lets go.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    marker: Marker,
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be, locks it, and checks what lies in it.
    ///
    /// # Errors
    /// `StoreInUse` if another client holds it, `StoreFailed` if its files are not what this
    /// client left there, `NetworkMismatch` if they belong to another network.
    pub fn hold(path: &Path, network: &str) -> Result<Self, Failure> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| failed(path, "cannot be made", &error))?;
        let lock = lock(&path.join("client.lock"))?;
        let marker = match read_marker(&path.join(MARKER))? {
            Some(marker) => marker,
            None => adopt_empty(path, network)?,
        };
        let directory = Self {
            path: path.to_owned(),
            marker,
            _lock: lock,
        };
        directory.check(network)?;
        Ok(directory)
    }

    /// The path of the client's SQLite store.
    pub fn store_path(&self) -> PathBuf {
        self.path.join(STORE)
    }

    /// The path of the keystore.
    pub fn keystore_path(&self) -> PathBuf {
        self.path.join("keystore")
    }

    /// What the marker says.
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Writes down, durably, that the store is made and of which chain it is.
    ///
    /// # Errors
    /// `StoreFailed` if the marker cannot be written.
    pub fn settle(&mut self, genesis: &str) -> Result<(), Failure> {
        self.marker.genesis = Some(genesis.to_owned());
        write_marker(&self.path, &self.marker)
    }

    fn check(&self, network: &str) -> Result<(), Failure> {
        if self.marker.network != network {
            let message = format!(
                "{}: the store belongs to network {}, asked for was {network}; \
                 give each network a directory of its own",
                self.path.display(),
                self.marker.network,
            );
            return Err(Failure::new(Code::NetworkMismatch, message));
        }
        if self.marker.genesis.is_none() {
            // The last opening ended before any account could be added: start afresh.
            check_unfinished(&self.store_path())?;
            return remove_store(&self.path);
        }
        check_store(&self.store_path(), &self.marker.client_id)
    }
}

fn lock(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(path, "cannot be opened", &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            Code::StoreInUse,
            format!("{}: another client holds this directory", path.display()),
        )),
        Err(TryLockError::Error(error)) => Err(failed(path, "cannot be locked", &error)),
    }
}

/// A directory without a marker is new only if it holds nothing of a client.
fn adopt_empty(path: &Path, network: &str) -> Result<Marker, Failure> {
    for name in [STORE, "keystore"] {
        let found = path.join(name);
        if fs::symlink_metadata(&found).is_ok() {
            let message = format!(
                "{}: exists, but {MARKER} does not, so this client did not make it; \
                 move it away or restore the marker",
                found.display(),
            );
            return Err(Failure::new(Code::StoreFailed, message));
        }
    }
    let mut id = [0_u8; 16];
    rand::rng().fill_bytes(&mut id);
    let marker = Marker {
        network: network.to_owned(),
        genesis: None,
        client_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    write_marker(path, &marker)?;
    Ok(marker)
}

/// Refuses to throw away what a client that never finished opening cannot have made.
fn check_unfinished(path: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(path).map_or(0, |found| found.len()) == 0 {
        return Ok(());
    }
    let count = |query: &str| {
        let store = Connection::open_with_flags(path, FLAGS)?;
        store.query_row(query, [], |row| row.get::<_, u64>(0))
    };
    let tables = count("SELECT count(*) FROM sqlite_master");
    let accounts = count("SELECT count(*) FROM latest_account_headers");
    match (tables, accounts) {
        (Ok(0), _) | (Ok(_), Ok(0)) => Ok(()),
        (Err(error), _) | (_, Err(error)) => {
            Err(failed(path, "not a store of this client", &error))
        }
        (_, Ok(accounts)) => {
            let message = format!(
                "{}: holds {accounts} accounts, but {MARKER} says that it was never finished; \
                 restore the marker that belongs to it",
                path.display(),
            );
            Err(Failure::new(Code::StoreFailed, message))
        }
    }
}

fn remove_store(path: &Path) -> Result<(), Failure> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let file = path.join(format!("{STORE}{suffix}"));
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed(&file, "cannot be removed", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads the client id out of the store before the library may touch (and migrate) it.
fn check_store(path: &Path, client_id: &str) -> Result<(), Failure> {
    let length = fs::symlink_metadata(path)
        .map_err(|error| failed(path, "the store is missing", &error))?
        .len();
    if length == 0 {
        let message = format!(
            "{}: the store is empty, but accounts were kept in it; restore it from a copy",
            path.display(),
        );
        return Err(Failure::new(Code::StoreFailed, message));
    }
    let query = "SELECT value FROM settings WHERE name = ?1";
    let found: Vec<u8> = Connection::open_with_flags(path, FLAGS)
        .and_then(|store| store.query_row(query, [CLIENT_ID_SETTING], |row| row.get(0)))
        .map_err(|error| failed(path, "not a store of this client", &error))?;
    let found = String::read_from_bytes(&found)
        .map_err(|error| failed(path, "not a store of this client", &error))?;
    if found == client_id {
        return Ok(());
    }
    let message = format!(
        "{}: the store of another client: its id is {found}, {MARKER} says {client_id}",
        path.display(),
    );
    Err(Failure::new(Code::StoreFailed, message))
}

fn read_marker(path: &Path) -> Result<Option<Marker>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, "cannot be read", &error)),
    };
    let mut lines = text.lines();
    let header = lines.next();
    let mut field = |name: &str| {
        let line = lines.next()?.strip_prefix(name)?.strip_prefix(' ')?;
        Some(line.to_owned())
    };
    match (header, field("network"), field("genesis"), field("client")) {
        (Some(MARKER_HEADER), Some(network), Some(genesis), Some(client_id)) => Ok(Some(Marker {
            network,
            genesis: (genesis != "none").then_some(genesis),
            client_id,
        })),
        _ => Err(Failure::new(
            Code::StoreFailed,
            format!(
                "{}: not a marker of this client; restore it from a copy",
                path.display()
            ),
        )),
    }
}

fn write_marker(directory: &Path, marker: &Marker) -> Result<(), Failure> {
    let text = format!(
        "{MARKER_HEADER}\nnetwork {}\ngenesis {}\nclient {}\n",
        marker.network,
        marker.genesis.as_deref().unwrap_or("none"),
        marker.client_id,
    );
    let path = directory.join(MARKER);
    let staged = directory.join("client.marker.new");
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&staged)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&staged, &path)?;
        File::open(directory)?.sync_all()
    })();
    written.map_err(|error| failed(&path, "cannot be written", &error))
}

fn failed(path: &Path, what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::caused_by(
        Code::StoreFailed,
        format!("{}: {what}", path.display()),
        error,
    )
}
