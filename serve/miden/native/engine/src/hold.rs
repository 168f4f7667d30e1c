//! A stop in front of one job: its turn has come, the actor stands still, nothing is done yet.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::actor::Job;
use crate::outbox::{Outbox, Reply, Ticket};
use crate::value::Value;

/// The handle that lets the job go on; dropping it does so, too.
#[derive(Debug)]
pub struct Hold {
    released: Arc<Notify>,
}

/// The stop itself, for one job.
#[derive(Debug)]
pub struct Stop {
    stopped: Reply,
    released: Arc<Notify>,
}

/// Makes a stop. The ticket is answered with `Done` once the actor stands still there.
pub fn hold(outbox: &Arc<Outbox>) -> (Hold, Stop, Ticket) {
    let released = Arc::new(Notify::new());
    let (ticket, stopped) = outbox.ask();
    let hold = Hold {
        released: Arc::clone(&released),
    };
    (hold, Stop { stopped, released }, ticket)
}

impl Hold {
    /// Lets the job go on, now or as soon as its turn comes.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
    }
}

impl Stop {
    /// Returns a job that stops here first.
    pub fn before<S: 'static>(mut self, job: Job<S>) -> Job<S> {
        Box::new(move |state| {
            Box::pin(async move {
                self.stopped.begin();
                self.stopped.send(Ok(Value::Done));
                self.released.notified().await;
                job(state).await
            })
        })
    }
}
