//! Claims about the engine that need no node, in one binary: each links the whole client.
#![allow(clippy::unwrap_used, missing_docs)]

mod account;
mod actor;
mod directory;
mod failure;
mod keys;
mod opening;
mod outbox;
mod times;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mosaic_miden_engine::CommandTimes;
use mosaic_miden_engine::outbox::{Answer, Outbox, Outcome, Ticket};

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
    seen: HashMap<u64, Answer>,
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
        self.wait_for(ticket).outcome.clone()
    }

    fn times(&mut self, ticket: &Ticket) -> Option<CommandTimes> {
        self.wait_for(ticket).times
    }

    fn wait_for(&mut self, ticket: &Ticket) -> &Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for answer in self.outbox.drain() {
                let id = answer.id;
                self.order.push(id);
                assert!(
                    self.seen.insert(id, answer).is_none(),
                    "answered twice: {id}"
                );
            }
            if self.seen.contains_key(&ticket.id()) {
                return &self.seen[&ticket.id()];
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
