use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use mosaic_miden_engine::actor::{Actor, Job};
use mosaic_miden_engine::hold::hold;
use mosaic_miden_engine::{Code, Failure, Ticket, Value};

use crate::{PATIENCE, Reader};

type Log = Vec<u8>;

fn start(reader: &Reader, queue_length_max: usize) -> (Actor<Log>, Ticket) {
    Actor::start(
        "test",
        queue_length_max,
        &reader.outbox,
        || Ok(()),
        |(): &mut ()| Box::pin(async { Ok(Log::new()) }),
    )
    .unwrap()
}

fn started(reader: &mut Reader) -> Actor<Log> {
    let (actor, opened) = start(reader, 64);
    assert_eq!(reader.answer(&opened), Ok(Value::Done));
    actor
}

fn note(letter: u8) -> Job<Log> {
    Box::new(move |log| {
        Box::pin(async move {
            log.push(letter);
            Ok(Value::AccountId(String::from_utf8_lossy(log).into_owned()))
        })
    })
}

/// A job that says when it has begun and then waits for the gate, blocking its thread.
fn gated() -> (Job<Log>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (tell_begun, begun) = mpsc::channel();
    let (open_gate, gate) = mpsc::channel();
    let job: Job<Log> = Box::new(move |_| {
        Box::pin(async move {
            tell_begun.send(()).unwrap();
            let _ = gate.recv_timeout(PATIENCE);
            Ok(Value::Done)
        })
    });
    (job, begun, open_gate)
}

fn endless() -> (Job<Log>, mpsc::Receiver<()>) {
    let (tell_begun, begun) = mpsc::channel();
    let job: Job<Log> = Box::new(move |_| {
        Box::pin(async move {
            tell_begun.send(()).unwrap();
            pending().await
        })
    });
    (job, begun)
}

fn code(outcome: &Result<Value, Failure>) -> Code {
    outcome.as_ref().unwrap_err().code
}

#[test]
fn jobs_run_in_order_on_one_state() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let tickets: Vec<_> = (b'a'..=b'e')
        .map(|letter| actor.submit(&reader.outbox, note(letter)).unwrap())
        .collect();
    let last = reader.answer(tickets.last().unwrap());
    assert_eq!(last, Ok(Value::AccountId("abcde".to_owned())));
    assert!(reader.order.is_sorted());
}

#[test]
fn a_held_job_keeps_those_behind_it_waiting_until_it_is_released() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (held, stop, stopped) = hold(&reader.outbox);
    let first = actor.submit(&reader.outbox, stop.before(note(b'a')));
    let second = actor.submit(&reader.outbox, note(b'b')).unwrap();
    assert_eq!(reader.answer(&stopped), Ok(Value::Done));
    assert!(!first.unwrap().cancel(), "it has begun");
    assert_eq!(reader.order, [1, stopped.id()], "nothing is answered yet");
    held.release();
    held.release();
    let last = reader.answer(&second);
    assert_eq!(last, Ok(Value::AccountId("ab".to_owned())));
}

#[test]
fn a_hold_that_is_dropped_holds_nothing() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (held, stop, _) = hold(&reader.outbox);
    drop(held);
    let ticket = actor.submit(&reader.outbox, stop.before(note(b'a')));
    let answer = reader.answer(&ticket.unwrap());
    assert_eq!(answer, Ok(Value::AccountId("a".to_owned())));
}

#[test]
fn a_held_client_can_be_killed() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (_held, stop, stopped) = hold(&reader.outbox);
    let ticket = actor
        .submit(&reader.outbox, stop.before(note(b'a')))
        .unwrap();
    assert_eq!(reader.answer(&stopped), Ok(Value::Done));
    actor.kill();
    assert_eq!(code(&reader.answer(&ticket)), Code::ClientClosed);
    assert!(actor.join(PATIENCE));
}

#[test]
fn a_stop_that_is_never_reached_says_so() {
    let mut reader = Reader::new();
    let (_held, stop, stopped) = hold(&reader.outbox);
    drop(stop);
    assert_eq!(code(&reader.answer(&stopped)), Code::ClientClosed);
}

#[test]
fn a_panic_answers_every_waiter_and_closes_the_client() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (blocking, begun, gate) = gated();
    actor.submit(&reader.outbox, blocking).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    let panicking: Job<Log> = Box::new(|_| Box::pin(async { panic!("broken on\npurpose") }));
    let culprit = actor.submit(&reader.outbox, panicking).unwrap();
    let waiting = actor.submit(&reader.outbox, note(b'a')).unwrap();
    gate.send(()).unwrap();

    let failure = reader.answer(&culprit).unwrap_err();
    assert!(actor.is_closed(), "whoever hears of it must find it closed");
    assert_eq!(failure.code, Code::ClientClosed);
    assert_eq!(failure.chain, ["broken on purpose"]);
    assert_eq!(code(&reader.answer(&waiting)), Code::ClientClosed);
    let refused = actor.submit(&reader.outbox, note(b'b')).unwrap_err();
    assert_eq!(refused.message, "the client died of a panic");
    assert!(actor.join(PATIENCE));
}

#[test]
fn a_panic_before_the_first_wait_is_caught_as_well() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let panicking: Job<Log> = Box::new(|_| panic!("at once"));
    let ticket = actor.submit(&reader.outbox, panicking).unwrap();
    assert_eq!(reader.answer(&ticket).unwrap_err().chain, ["at once"]);
}

#[test]
fn a_panic_while_opening_answers_the_opener() {
    let mut reader = Reader::new();
    let (actor, opened) = Actor::<Log>::start(
        "test",
        1,
        &reader.outbox,
        || Ok(()),
        |(): &mut ()| Box::pin(async { panic!("no store") }),
    )
    .unwrap();
    assert_eq!(reader.answer(&opened).unwrap_err().chain, ["no store"]);
    assert!(actor.is_closed());
}

#[test]
fn killing_answers_the_running_and_the_waiting() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (job, begun) = endless();
    let running = actor.submit(&reader.outbox, job).unwrap();
    let waiting = actor.submit(&reader.outbox, note(b'a')).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    actor.kill();
    assert!(actor.is_closed());
    for ticket in [running, waiting] {
        assert_eq!(code(&reader.answer(&ticket)), Code::ClientClosed);
    }
    assert!(actor.join(PATIENCE));
}

#[test]
fn killing_ends_an_opening_that_waits() {
    let mut reader = Reader::new();
    let (actor, opened) = Actor::<Log>::start(
        "test",
        1,
        &reader.outbox,
        || Ok(()),
        |(): &mut ()| Box::pin(pending()),
    )
    .unwrap();
    actor.kill();
    assert_eq!(code(&reader.answer(&opened)), Code::ClientClosed);
}

#[test]
fn a_failed_opening_is_answered_after_the_lock_is_given_back() {
    struct Lock(Arc<AtomicBool>);
    impl Drop for Lock {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let mut reader = Reader::new();
    let released = Arc::new(AtomicBool::new(false));
    let mine = Arc::clone(&released);
    let (actor, opened) = Actor::<Log>::start(
        "test",
        1,
        &reader.outbox,
        move || Ok(Lock(mine)),
        |_: &mut Lock| Box::pin(async { Err(Failure::new(Code::StoreFailed, "foreign")) }),
    )
    .unwrap();
    assert_eq!(code(&reader.answer(&opened)), Code::StoreFailed);
    assert!(released.load(Ordering::SeqCst));
    let refused = actor.submit(&reader.outbox, note(b'a')).unwrap_err();
    assert_eq!(refused.message, "the client could not be started");
}

#[test]
fn closing_lets_the_queued_commands_run_and_answers_last() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (blocking, begun, gate) = gated();
    actor.submit(&reader.outbox, blocking).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    let queued = actor.submit(&reader.outbox, note(b'a')).unwrap();
    let closed = actor.close(&reader.outbox);
    let again = actor.close(&reader.outbox);
    let late = actor.submit(&reader.outbox, note(b'b')).unwrap_err();
    assert_eq!(late.code, Code::ClientClosed);
    gate.send(()).unwrap();
    assert_eq!(reader.answer(&closed), Ok(Value::Done));
    assert_eq!(reader.answer(&again), Ok(Value::Done));
    let answered = reader.answer(&queued);
    assert_eq!(answered, Ok(Value::AccountId("a".to_owned())));
    assert!(reader.order.is_sorted());
    let after = actor.close(&reader.outbox);
    assert_eq!(reader.answer(&after), Ok(Value::Done));
}

#[test]
fn dropping_the_handle_lets_the_queued_commands_run() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let ticket = actor.submit(&reader.outbox, note(b'a')).unwrap();
    drop(actor);
    assert!(reader.answer(&ticket).is_ok());
}

#[test]
fn a_command_cancelled_before_its_turn_never_runs() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let (blocking, begun, gate) = gated();
    let running = actor.submit(&reader.outbox, blocking).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    let cancelled = actor.submit(&reader.outbox, note(b'x')).unwrap();
    let kept = actor.submit(&reader.outbox, note(b'a')).unwrap();
    assert!(cancelled.cancel());
    assert!(cancelled.cancel(), "a second time is no harm");
    assert!(!running.cancel(), "what has begun runs to its end");
    gate.send(()).unwrap();
    let answered = reader.answer(&kept);
    assert_eq!(answered, Ok(Value::AccountId("a".to_owned())));
    assert_eq!(reader.answer(&cancelled), Ok(Value::Skipped));
    assert_eq!(reader.answer(&running), Ok(Value::Done));
}

#[test]
fn a_full_queue_says_busy_and_queues_nothing() {
    let mut reader = Reader::new();
    let (actor, opened) = start(&reader, 2);
    reader.answer(&opened).unwrap();
    let (blocking, begun, gate) = gated();
    actor.submit(&reader.outbox, blocking).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    actor.submit(&reader.outbox, note(b'a')).unwrap();
    let last = actor.submit(&reader.outbox, note(b'b')).unwrap();
    let refused = actor.submit(&reader.outbox, note(b'x')).unwrap_err();
    assert_eq!(refused.code, Code::Busy);
    gate.send(()).unwrap();
    let answered = reader.answer(&last);
    assert_eq!(answered, Ok(Value::AccountId("ab".to_owned())));
    assert_eq!(
        reader.seen.len(),
        4,
        "nobody is answered for a refused command"
    );
}

#[test]
fn joining_gives_up_in_time() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    assert!(!actor.join(Duration::from_millis(20)));
    actor.close(&reader.outbox);
    assert!(actor.join(PATIENCE));
}

#[test]
fn a_reader_that_is_gone_harms_no_client() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    actor.submit(&reader.outbox, note(b'a')).unwrap();
    drop(reader);
    let mut other = Reader::new();
    let ticket = actor.submit(&other.outbox, note(b'b')).unwrap();
    let answered = other.answer(&ticket);
    assert_eq!(answered, Ok(Value::AccountId("ab".to_owned())));
}
