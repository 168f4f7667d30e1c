use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use mosaic_miden_engine::actor::{Actor, Job};
use mosaic_miden_engine::times::request;
use mosaic_miden_engine::{CommandTimes, Value};

use crate::Reader;

const WORK: Duration = Duration::from_millis(30);

fn started(reader: &mut Reader) -> Actor<()> {
    let (actor, opened) = Actor::start(
        "test",
        64,
        &reader.outbox,
        || Ok(()),
        |(): &mut ()| Box::pin(async { Ok(()) }),
    )
    .unwrap();
    assert!(reader.times(&opened).is_some(), "the start tells as well");
    actor
}

fn told(reader: &mut Reader, job: Job<()>) -> CommandTimes {
    let actor = started(reader);
    let ticket = actor.submit(&reader.outbox, job).unwrap();
    reader.times(&ticket).unwrap()
}

fn waiting() -> Job<()> {
    Box::new(|()| {
        Box::pin(async {
            tokio::time::sleep(WORK).await;
            Ok(Value::Done)
        })
    })
}

#[test]
fn a_job_behind_another_waits_in_the_queue() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let first = actor.submit(&reader.outbox, waiting()).unwrap();
    let second = actor.submit(&reader.outbox, waiting()).unwrap();
    let (first, second) = (
        reader.times(&first).unwrap(),
        reader.times(&second).unwrap(),
    );
    assert!(first.service >= WORK);
    assert!(second.queued >= WORK / 2, "{second:?}");
}

#[test]
fn a_job_that_computes_costs_cpu_and_one_that_waits_does_not() {
    let computing: Job<()> = Box::new(|()| {
        Box::pin(async {
            let begin = Instant::now();
            while begin.elapsed() < WORK {}
            Ok(Value::Done)
        })
    });
    let computed = told(&mut Reader::new(), computing);
    assert!(!computed.cpu.is_zero() && computed.cpu <= computed.service);
    assert!(computed.node.is_zero());
    let waited = told(&mut Reader::new(), waiting());
    assert!(waited.cpu < waited.service / 2, "{waited:?}");
}

#[test]
fn requests_under_way_together_count_each_moment_once() {
    let job: Job<()> = Box::new(|()| {
        Box::pin(async {
            sleep(WORK); // Work of its own, before it asks.
            let both = async {
                tokio::join!(
                    request(tokio::time::sleep(WORK)),
                    request(tokio::time::sleep(WORK))
                )
            };
            request(both).await;
            Ok(Value::Done)
        })
    });
    let times = told(&mut Reader::new(), job);
    assert!(times.node >= WORK);
    assert!(times.node + WORK <= times.service, "{times:?}");
}

#[test]
fn a_request_that_is_given_up_ends() {
    let job: Job<()> = Box::new(|()| {
        Box::pin(async {
            let never = request(std::future::pending::<()>());
            assert!(tokio::time::timeout(WORK, never).await.is_err());
            sleep(WORK);
            Ok(Value::Done)
        })
    });
    let times = told(&mut Reader::new(), job);
    assert!(times.node >= WORK);
    assert!(times.node + WORK <= times.service, "{times:?}");
}

#[test]
fn a_job_that_was_taken_back_or_died_in_the_queue_has_no_times() {
    let mut reader = Reader::new();
    let actor = started(&mut reader);
    let running = actor.submit(&reader.outbox, waiting()).unwrap();
    let taken_back = actor.submit(&reader.outbox, waiting()).unwrap();
    assert!(taken_back.cancel());
    assert!(reader.times(&running).is_some());
    assert!(reader.times(&taken_back).is_none());
}

#[test]
fn every_thread_has_a_name_of_its_own() {
    let name: fn() -> Job<()> = || {
        Box::new(|()| {
            Box::pin(async {
                let name = thread::current().name().unwrap_or_default().to_owned();
                Ok(Value::AccountId(name))
            })
        })
    };
    let mut reader = Reader::new();
    let actors = [started(&mut reader), started(&mut reader)];
    let names = actors.map(|actor| {
        let ticket = actor.submit(&reader.outbox, name()).unwrap();
        reader.answer(&ticket).unwrap()
    });
    assert_ne!(names[0], names[1]);
}
