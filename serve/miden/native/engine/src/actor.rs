//! One OS thread with its own runtime that takes jobs one at a time, in order, until it is closed,
//! killed, or dies.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{Notify, mpsc};

use crate::failure::{Code, Failure};
use crate::outbox::{Outbox, Outcome, Reply, Ticket};
use crate::value::Value;

/// The longest that a thread waits for its blocking work, such as a name look-up, when it ends.
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(2);

const KILLED: &str = "the client was killed";
const DIED: &str = "the client died of a panic";

/// How many threads were started: each has a number of its own.
static THREADS: AtomicU64 = AtomicU64::new(1);

/// Commands that the end of the actor caught, with what they are told.
type Unanswered = Vec<(Reply, Failure)>;

/// What a job gives: a future on the actor's own thread, which may borrow the actor's state.
pub type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// A job: sent to the thread, run there on the actor's state.
pub type Job<S> = Box<dyn for<'a> FnOnce(&'a mut S) -> Running<'a, Value> + Send>;

struct Command<S> {
    job: Job<S>,
    reply: Reply,
}

/// A handle on the thread. Dropping it closes the actor without waiting.
pub struct Actor<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    lifecycle: Mutex<Lifecycle<S>>,
    ended: Condvar,
    killed: Notify,
}

struct Lifecycle<S> {
    /// None once no more commands are taken.
    queue: Option<mpsc::Sender<Command<S>>>,
    /// What later callers are told.
    reason: &'static str,
    /// Asked to be told of the end.
    waiting: Vec<Reply>,
    ended: bool,
}

impl<S: 'static> Actor<S> {
    /// Starts a thread: `hold` takes what must outlive the runtime (a lock), `open` makes the state.
    /// The thread is called `name` and a number, the threads of its blocking work `-work` after that.
    ///
    /// The ticket is answered with `Done` once `open` is through. If `hold` or `open` fails, it is
    /// answered when everything they took has been given back and the thread is at its end.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start<G, H, O>(
        name: &str,
        queue_length_max: usize,
        outbox: &Arc<Outbox>,
        hold: H,
        open: O,
    ) -> Result<(Self, Ticket), Failure>
    where
        G: 'static,
        H: FnOnce() -> Result<G, Failure> + Send + 'static,
        O: for<'a> FnOnce(&'a mut G) -> Running<'a, S> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(queue_length_max.max(1));
        let shared = Arc::new(Shared {
            lifecycle: Mutex::new(Lifecycle {
                queue: Some(sender),
                reason: "the client is closed",
                waiting: Vec::new(),
                ended: false,
            }),
            ended: Condvar::new(),
            killed: Notify::new(),
        });
        let (ticket, reply) = outbox.ask();
        let mine = Arc::clone(&shared);
        // The kernel keeps 15 letters: with a short name, the number is among them.
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        let spawned = thread::Builder::new()
            .name(format!("{name}-{number}"))
            .spawn(move || run_thread(&mine, receiver, reply, hold, open));
        match spawned {
            Ok(_) => Ok((Self { shared }, ticket)),
            Err(error) => Err(Failure::caused_by(
                Code::ClientFailed,
                "the client's thread could not be started",
                &error,
            )),
        }
    }

    /// Queues a job.
    ///
    /// # Errors
    /// `ClientClosed` if the actor takes no more, `Busy` if its queue is full.
    pub fn submit(&self, outbox: &Arc<Outbox>, job: Job<S>) -> Result<Ticket, Failure> {
        let lifecycle = self.shared.locked();
        let Some(queue) = &lifecycle.queue else {
            return Err(Failure::new(Code::ClientClosed, lifecycle.reason));
        };
        let (ticket, reply) = outbox.ask();
        match queue.try_send(Command { job, reply }) {
            Ok(()) => Ok(ticket),
            Err(mpsc::error::TrySendError::Full(command)) => {
                command.reply.withdraw();
                let length = queue.max_capacity();
                let message = format!(
                    "the client already has {length} commands waiting, as many as it takes; \
                     wait for some of them"
                );
                Err(Failure::new(Code::Busy, message))
            }
            Err(mpsc::error::TrySendError::Closed(command)) => {
                command.reply.withdraw();
                Err(Failure::new(Code::ClientClosed, lifecycle.reason))
            }
        }
    }

    /// True once no more commands are taken.
    pub fn is_closed(&self) -> bool {
        self.shared.locked().queue.is_none()
    }

    /// Refuses later commands, lets the queued ones run, and answers when the thread is at its end.
    pub fn close(&self, outbox: &Arc<Outbox>) -> Ticket {
        let (ticket, reply) = outbox.ask();
        let mut lifecycle = self.shared.locked();
        lifecycle.queue = None;
        if lifecycle.ended {
            drop(lifecycle);
            reply.send(Ok(Value::Done));
        } else {
            lifecycle.waiting.push(reply);
        }
        ticket
    }

    /// Ends the thread without draining: whatever waits is answered `ClientClosed`, and a job that
    /// is under way is dropped where it next waits.
    pub fn kill(&self) {
        self.shared.refuse(KILLED);
        self.shared.killed.notify_one();
    }

    /// Waits for the thread's end; false if it has not ended when the time is up.
    pub fn join(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut lifecycle = self.shared.locked();
        while !lifecycle.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            lifecycle = match self.shared.ended.wait_timeout(lifecycle, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}

impl<S> Drop for Actor<S> {
    fn drop(&mut self) {
        self.shared.locked().queue = None;
    }
}

impl<S> Shared<S> {
    fn locked(&self) -> MutexGuard<'_, Lifecycle<S>> {
        self.lifecycle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, reason: &'static str) {
        let mut lifecycle = self.locked();
        lifecycle.queue = None;
        lifecycle.reason = reason;
    }

    fn finish(&self) {
        let waiting = {
            let mut lifecycle = self.locked();
            lifecycle.queue = None;
            lifecycle.ended = true;
            std::mem::take(&mut lifecycle.waiting)
        };
        self.ended.notify_all();
        for reply in waiting {
            reply.send(Ok(Value::Done));
        }
    }
}

fn run_thread<S, G, H, O>(
    shared: &Shared<S>,
    commands: mpsc::Receiver<Command<S>>,
    mut opening: Reply,
    hold: H,
    open: O,
) where
    H: FnOnce() -> Result<G, Failure>,
    O: for<'a> FnOnce(&'a mut G) -> Running<'a, S>,
{
    opening.begin();
    let mut opening = Some(opening);
    let body = AssertUnwindSafe(|| hold_and_serve(shared, commands, &mut opening, hold, open));
    // From here on everything is given back: who hears of the end may open the directory at once.
    let outcome = match catch_unwind(body) {
        Ok(outcome) => outcome,
        Err(panic) => Err(panicked(panic.as_ref())),
    };
    if outcome.is_err() {
        shared.refuse("the client could not be started");
    }
    shared.finish();
    match (outcome, opening) {
        (Err(failure), Some(reply)) => reply.send(Err(failure)),
        (Ok(unanswered), _) => unanswered
            .into_iter()
            .for_each(|(reply, failure)| reply.send(Err(failure))),
        (Err(_), None) => {}
    }
}

fn hold_and_serve<S, G, H, O>(
    shared: &Shared<S>,
    commands: mpsc::Receiver<Command<S>>,
    opening: &mut Option<Reply>,
    hold: H,
    open: O,
) -> Result<Unanswered, Failure>
where
    H: FnOnce() -> Result<G, Failure>,
    O: for<'a> FnOnce(&'a mut G) -> Running<'a, S>,
{
    // Declared first, dropped last: the lock must outlive the runtime's blocking store work.
    let mut held = hold()?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name(format!(
            "{}-work",
            thread::current().name().unwrap_or_default()
        ))
        .build()
        .map_err(|error| {
            Failure::caused_by(Code::ClientFailed, "the client has no runtime", &error)
        })?;
    let outcome = runtime.block_on(serve(shared, commands, opening, open(&mut held)));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    outcome
}

async fn serve<S>(
    shared: &Shared<S>,
    mut commands: mpsc::Receiver<Command<S>>,
    opening: &mut Option<Reply>,
    open: Running<'_, S>,
) -> Result<Unanswered, Failure> {
    let mut state = match until_killed(shared, open).await {
        Some(opened) => opened?,
        None => return Err(Failure::new(Code::ClientClosed, KILLED)),
    };
    if let Some(reply) = opening.take() {
        reply.send(Ok(Value::Done));
    }
    let mut unanswered = Unanswered::new();
    while let Some(Some(command)) = until_killed(shared, commands.recv()).await {
        let Command { job, mut reply } = command;
        if !reply.begin() {
            reply.send(Ok(Value::Skipped));
            continue;
        }
        match until_killed(shared, Caught(begin(job, &mut state))).await {
            Some(Ok(outcome)) => reply.send(outcome),
            Some(Err(failure)) => {
                shared.refuse(DIED);
                reply.end();
                unanswered.push((reply, failure));
                break;
            }
            None => {
                reply.end();
                unanswered.push((reply, Failure::new(Code::ClientClosed, KILLED)));
                break;
            }
        }
    }
    commands.close();
    while let Ok(command) = commands.try_recv() {
        let reason = shared.locked().reason;
        unanswered.push((command.reply, Failure::new(Code::ClientClosed, reason)));
    }
    Ok(unanswered)
}

/// Calls the job inside the future, so that a panic of the call itself is caught as well.
fn begin<'a, S>(job: Job<S>, state: &'a mut S) -> Running<'a, Value> {
    Box::pin(async move { job(state).await })
}

/// None if the actor is killed first.
async fn until_killed<S, F: Future>(shared: &Shared<S>, work: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        () = shared.killed.notified() => None,
        output = work => Some(output),
    }
}

/// A job whose panic is a failure like any other.
struct Caught<'a>(Running<'a, Value>);

impl Future for Caught<'_> {
    type Output = Result<Outcome, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let job = self.0.as_mut();
        match catch_unwind(AssertUnwindSafe(|| job.poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Err(panic) => Poll::Ready(Err(panicked(panic.as_ref()))),
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words");
    Failure {
        code: Code::ClientClosed,
        message: DIED.to_owned(),
        chain: vec![crate::failure::one_line(said)],
    }
}
