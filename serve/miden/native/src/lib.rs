//! The Python module `mosaic_miden_client`: real Miden clients whose answers arrive on a descriptor.
//!
//! The whole surface (see `mosaic_miden_client.pyi` for the types):
//!
//! - `Mailbox()` is one event loop's letter box: `fileno()` is readable while answers wait, and
//!   `drain()` takes them as `(ticket id, value, None)` or `(ticket id, None, MidenError)`.
//! - `Client.open(mailbox, directory, endpoint, network, ...)` starts a client on a thread of its own.
//!   Each command takes the mailbox for its answer and gives a `Ticket` at once; nothing waits.
//! - `Ticket.cancel()` takes a command back unless it has begun.
//! - `encode_address(account_id, network)` writes an address as the Miden library does.
//!
//! Client threads never touch the interpreter: they know only the engine's plain values, which
//! `drain()` turns into Python objects on the thread that calls it. So an interpreter may exit at any
//! moment; the threads end with the process.

mod client;
mod convert;
mod mailbox;

/// Real Miden clients on threads of their own, answering through a descriptor.
#[pyo3::pymodule]
mod mosaic_miden_client {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::client::{Client, Hold};
    #[pymodule_export]
    use crate::convert::MidenError;
    #[pymodule_export]
    use crate::mailbox::{Mailbox, Ticket};

    /// Writes an account's address as the Miden library does, for the network that is asked for.
    #[pyfunction]
    fn encode_address(account_id: &str, network: &str) -> PyResult<String> {
        mosaic_miden_engine::account::encode_address(account_id, network)
            .map_err(crate::convert::raised)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
