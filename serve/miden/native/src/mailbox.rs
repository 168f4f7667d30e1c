//! One event loop's letter box, and the tickets under which its letters arrive.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use mosaic_miden_engine::CommandTimes;
use mosaic_miden_engine::outbox::{Outbox, Ticket as Question};
use pyo3::prelude::*;

use crate::convert::{as_exception, as_object};

/// Seconds in the queue, of service, of CPU, and of waiting for the node.
type Times = (f64, f64, f64, f64);

/// A letter: the ticket's id, the answer or the error, and how long the command took.
type Letter<'py> = (
    u64,
    Option<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
    Option<Times>,
);

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
            .map(|answer| {
                let times = answer.times.map(in_seconds);
                Ok(match answer.outcome {
                    Ok(value) => (answer.id, Some(as_object(py, &value)?), None, times),
                    Err(failure) => (answer.id, None, Some(as_exception(py, &failure)?), times),
                })
            })
            .collect()
    }
}

fn in_seconds(times: CommandTimes) -> Times {
    (
        times.queued.as_secs_f64(),
        times.service.as_secs_f64(),
        times.cpu.as_secs_f64(),
        times.node.as_secs_f64(),
    )
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
