use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mosaic_miden_engine::{Code, Outbox, Value};

use crate::PATIENCE;

/// A second handle on the descriptor: what an event loop sees of it.
fn bell(outbox: &Outbox) -> UnixStream {
    UnixStream::from(outbox.as_fd().try_clone_to_owned().unwrap())
}

fn rings(mut bell: &UnixStream) -> usize {
    match bell.read(&mut [0; 64]) {
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_descriptor_rings_once_for_a_batch() {
    let outbox = Outbox::new().unwrap();
    let bell = bell(&outbox);
    assert_eq!(rings(&bell), 0);
    for _ in 0..1_000 {
        outbox.ask().1.send(Ok(Value::Done));
    }
    assert_eq!(rings(&bell), 1);
    assert_eq!(outbox.drain().len(), 1_000);
    outbox.ask().1.send(Ok(Value::Done));
    assert_eq!(rings(&bell), 1, "and again for the next");
}

#[test]
fn draining_calms_the_descriptor() {
    let outbox = Outbox::new().unwrap();
    outbox.ask().1.send(Ok(Value::Done));
    assert_eq!(outbox.drain().len(), 1);
    assert_eq!(rings(&bell(&outbox)), 0);
    assert!(outbox.drain().is_empty());
}

#[test]
fn a_dropped_reply_answers_that_the_client_is_closed() {
    let outbox = Outbox::new().unwrap();
    let (ticket, reply) = outbox.ask();
    drop(reply);
    let answers = outbox.drain();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].id, ticket.id());
    assert_eq!(
        answers[0].outcome.as_ref().unwrap_err().code,
        Code::ClientClosed
    );
}

#[test]
fn a_withdrawn_reply_answers_nothing() {
    let outbox = Outbox::new().unwrap();
    outbox.ask().1.withdraw();
    assert!(outbox.drain().is_empty());
}

#[test]
fn no_answer_is_lost_between_many_senders_and_one_reader_that_sleeps_on_the_bell() {
    const SENDERS: usize = 4;
    const EACH: usize = 5_000;
    let outbox = Outbox::new().unwrap();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let outbox = Arc::clone(&outbox);
            thread::spawn(move || {
                for _ in 0..EACH {
                    outbox.ask().1.send(Ok(Value::Done));
                }
            })
        })
        .collect();
    // A handle that blocks on its own, so that a lost ring shows as a wait that ends in vain.
    let deadline = Instant::now() + PATIENCE;
    let bell = bell(&outbox);
    let mut received = 0;
    while received < SENDERS * EACH {
        assert!(
            Instant::now() < deadline,
            "a ring was lost after {received}"
        );
        if rings(&bell) == 0 {
            thread::sleep(Duration::from_micros(50));
            continue;
        }
        received += outbox.drain().len();
    }
    for sender in senders {
        sender.join().unwrap();
    }
}
