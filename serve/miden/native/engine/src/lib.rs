//! Miden clients as actors: one OS thread each, commands in, plain values out. No Python in here.
//!
//! The glue crate next door instantiates none of the client's generic futures, so an edit there
//! costs seconds; an edit here costs minutes.

pub mod account;
pub mod actor;
pub mod directory;
pub mod failure;
pub mod hold;
pub mod keys;
pub mod outbox;
pub mod session;
pub mod timed_node;
pub mod times;
pub mod value;

pub use actor::Actor;
pub use failure::{Code, Failure};
pub use outbox::{Answer, Outbox, Reply, Ticket};
pub use times::CommandTimes;
pub use value::Value;
