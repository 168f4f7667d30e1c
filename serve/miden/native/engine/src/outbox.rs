//! Answers on their way to one event loop: a queue, and a descriptor that is readable while it
//! holds any.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::failure::{Code, Failure};
use crate::times::{Begin, CommandTimes};
use crate::value::Value;

/// A command's outcome.
pub type Outcome = Result<Value, Failure>;

/// What the outbox delivers: an outcome under its ticket's id.
#[derive(Debug)]
pub struct Answer {
    /// The ticket's id.
    pub id: u64,
    /// What the command came to.
    pub outcome: Outcome,
    /// None for a command that was never begun.
    pub times: Option<CommandTimes>,
}

const QUEUED: u8 = 0;
const BEGUN: u8 = 1;
const CANCELLED: u8 = 2;

/// The queue of one event loop. Client threads push; the loop's thread drains.
#[derive(Debug)]
pub struct Outbox {
    answers: Mutex<VecDeque<Answer>>,
    ids: AtomicU64,
    reader: UnixStream,
    writer: UnixStream,
}

impl Outbox {
    /// Makes an empty outbox.
    ///
    /// # Errors
    /// The process is out of descriptors: an outbox needs two.
    pub fn new() -> io::Result<Arc<Self>> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Arc::new(Self {
            answers: Mutex::new(VecDeque::new()),
            ids: AtomicU64::new(1),
            reader,
            writer,
        }))
    }

    /// Takes all answers, oldest first, and calms the descriptor. Never waits.
    pub fn drain(&self) -> Vec<Answer> {
        // Calm first, take afterwards: an answer pushed in between is taken now or rings again.
        let mut bytes = [0_u8; 64];
        loop {
            match (&self.reader).read(&mut bytes) {
                Ok(count) if count > 0 => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        self.locked().drain(..).collect()
    }

    /// Opens a new question: the ticket is the asker's, the reply goes with the command.
    pub fn ask(self: &Arc<Self>) -> (Ticket, Reply) {
        let ticket = Ticket {
            id: self.ids.fetch_add(1, Ordering::Relaxed),
            stage: Arc::new(AtomicU8::new(QUEUED)),
        };
        let reply = Reply {
            outbox: Some(Arc::clone(self)),
            ticket: ticket.clone(),
            asked: Instant::now(),
            begin: None,
            times: None,
        };
        (ticket, reply)
    }

    fn push(&self, answer: Answer) {
        let was_empty = {
            let mut answers = self.locked();
            answers.push_back(answer);
            answers.len() == 1
        };
        if was_empty {
            // A full socket is as readable as can be, so a refused write loses nothing.
            let _ = (&self.writer).write(&[1]);
        }
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Outbox {
    /// The descriptor to watch for reading.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// The asker's half of a question.
#[derive(Debug, Clone)]
pub struct Ticket {
    id: u64,
    stage: Arc<AtomicU8>,
}

impl Ticket {
    /// The number under which the outbox delivers the answer, unique in its outbox.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Takes the command back unless it has begun; true if it will not run.
    pub fn cancel(&self) -> bool {
        self.leave_queue(CANCELLED) || self.stage.load(Ordering::Acquire) == CANCELLED
    }

    fn leave_queue(&self, stage: u8) -> bool {
        self.stage
            .compare_exchange(QUEUED, stage, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// The answering half: answers exactly once, with `ClientClosed` if it is dropped unanswered.
#[derive(Debug)]
pub struct Reply {
    outbox: Option<Arc<Outbox>>,
    ticket: Ticket,
    asked: Instant,
    begin: Option<Begin>,
    times: Option<CommandTimes>,
}

impl Reply {
    /// Marks the command as begun, on the thread that carries it out; false if it was cancelled
    /// before its turn.
    pub fn begin(&mut self) -> bool {
        let begins = self.ticket.leave_queue(BEGUN);
        if begins {
            self.begin = Some(Begin::now(self.asked));
        }
        begins
    }

    /// Marks a begun command as ended, for an answer that is sent later.
    pub fn end(&mut self) {
        self.times = self.times.or_else(|| self.begin.take().map(Begin::end));
    }

    /// Answers; ends what has begun.
    pub fn send(mut self, outcome: Outcome) {
        self.end();
        self.answer(outcome);
    }

    /// Forgets the question: for one that was refused before it was queued.
    pub fn withdraw(mut self) {
        self.outbox = None;
    }

    fn answer(&mut self, outcome: Outcome) {
        if let Some(outbox) = self.outbox.take() {
            outbox.push(Answer {
                id: self.ticket.id,
                outcome,
                times: self.times,
            });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(Err(Failure::new(
            Code::ClientClosed,
            "the client ended before it answered this command",
        )));
    }
}
