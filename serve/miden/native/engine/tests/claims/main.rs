//! Claims about the engine that need no node, in one binary: each links the whole client.
#![allow(clippy::unwrap_used, missing_docs)]

mod account;
mod actor;
mod directory;
mod failure;
mod keys;
mod opening;
mod outbox;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mosaic_miden_engine::outbox::{Outbox, Outcome, Ticket};

const PATIENCE: Duration = Duration::from_secs(20);

/// A directory of one test's own, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "mosaic-miden-engine-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An outbox with its reader: collects answers until the one that is asked for is there.
struct Reader {
    outbox: Arc<Outbox>,
    seen: HashMap<u64, Outcome>,
    order: Vec<u64>,
}

impl Reader {
    fn new() -> Self {
        Self {
            outbox: Outbox::new().unwrap(),
            seen: HashMap::new(),
            order: Vec::new(),
        }
    }

    fn answer(&mut self, ticket: &Ticket) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for (id, outcome) in self.outbox.drain() {
                self.order.push(id);
                assert!(
                    self.seen.insert(id, outcome).is_none(),
                    "answered twice: {id}"
                );
            }
            if let Some(outcome) = self.seen.get(&ticket.id()) {
                return outcome.clone();
            }
            assert!(
                Instant::now() < deadline,
                "no answer for ticket {}",
                ticket.id()
            );
            sleep(Duration::from_millis(1));
        }
    }
}
