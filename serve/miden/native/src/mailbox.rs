//! One event loop's letter box, and the tickets under which its letters arrive.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use mosaic_miden_engine::outbox::{Outbox, Ticket as Question};
use pyo3::prelude::*;

use crate::convert::{as_exception, as_object};

/// A letter: the ticket's id, then the answer or the error.
type Letter<'py> = (u64, Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

/// Where clients leave their answers; one for each event loop.
#[pyclass(frozen, module = "mosaic_miden_client")]
pub struct Mailbox {
    pub outbox: Arc<Outbox>,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self {
            outbox: Outbox::new()?,
        })
    }

    /// The descriptor that is readable while answers wait. It lives as long as the mailbox.
    fn fileno(&self) -> i32 {
        self.outbox.as_fd().as_raw_fd()
    }

    /// Takes all answers, oldest first. Never waits.
    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Vec<Letter<'py>>> {
        self.outbox
            .drain()
            .into_iter()
            .map(|(id, outcome)| match outcome {
                Ok(value) => Ok((id, Some(as_object(py, &value)?), None)),
                Err(failure) => Ok((id, None, Some(as_exception(py, &failure)?))),
            })
            .collect()
    }
}

/// A command on its way.
#[pyclass(frozen, module = "mosaic_miden_client")]
pub struct Ticket(pub Question);

#[pymethods]
impl Ticket {
    /// The number under which the mailbox delivers the answer; unique in its mailbox.
    #[getter]
    fn id(&self) -> u64 {
        self.0.id()
    }

    /// Takes the command back unless it has begun; true if it will not run. It is answered anyway.
    fn cancel(&self) -> bool {
        self.0.cancel()
    }
}
