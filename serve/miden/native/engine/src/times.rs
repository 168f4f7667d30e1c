//! How long a command waited and worked: its wait in the queue, its work, and what of the work was
//! CPU or waiting for the node.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The times of one command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandTimes {
    /// From its submission to its begin.
    pub queued: Duration,
    /// From its begin to its end.
    pub service: Duration,
    /// CPU time of the client's thread meanwhile. The store's threads are not counted.
    pub cpu: Duration,
    /// The part of the work in which a request to the node was under way.
    pub node: Duration,
}

/// The begin of a command; measures the thread that makes it, and is asked there again.
#[derive(Debug, Clone, Copy)]
pub struct Begin {
    queued: Duration,
    at: Instant,
    cpu: Duration,
    node: Duration,
}

impl Begin {
    /// Begins now what was submitted at `asked`.
    pub fn now(asked: Instant) -> Self {
        let at = Instant::now();
        Self {
            queued: at.saturating_duration_since(asked),
            at,
            cpu: thread_cpu(),
            node: requesting(),
        }
    }

    /// The times of what ends now.
    pub fn end(self) -> CommandTimes {
        CommandTimes {
            queued: self.queued,
            service: self.at.elapsed(),
            cpu: thread_cpu().saturating_sub(self.cpu),
            node: requesting().saturating_sub(self.node),
        }
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

// A client's requests are polled on its own thread only, so the thread is the client's account.
thread_local! {
    static UNDER_WAY: Cell<u32> = const { Cell::new(0) };
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    static REQUESTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Does a request, whose time counts as waiting for the node; of requests that are under way
/// together, each moment counts once.
pub async fn request<F: Future>(call: F) -> F::Output {
    let _under_way = UnderWay::begin();
    call.await
}

fn requesting() -> Duration {
    let open = SINCE.get().map_or(Duration::ZERO, |since| since.elapsed());
    REQUESTED.get() + open
}

/// A request under way; it ends when this is dropped, as a request that takes too long is.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        if UNDER_WAY.get() == 0 {
            SINCE.set(Some(Instant::now()));
        }
        UNDER_WAY.set(UNDER_WAY.get() + 1);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.set(UNDER_WAY.get() - 1);
        if UNDER_WAY.get() == 0
            && let Some(since) = SINCE.take()
        {
            REQUESTED.set(REQUESTED.get() + since.elapsed());
        }
    }
}
