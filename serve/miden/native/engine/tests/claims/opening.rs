use std::net::TcpListener;
use std::time::{Duration, Instant};

use mosaic_miden_engine::outbox::Outcome;
use mosaic_miden_engine::session::{self, Config};
use mosaic_miden_engine::{Code, Failure, Value};

use crate::{Reader, Scratch};

fn config(scratch: &Scratch, endpoint: String) -> Config {
    Config {
        directory: scratch.path().join("client"),
        endpoint,
        network: "localnet".to_owned(),
        dial_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_secs(5),
        sync_timeout: Duration::from_secs(5),
        queue_length_max: 16,
    }
}

fn open(scratch: &Scratch, endpoint: String) -> Outcome {
    let mut reader = Reader::new();
    let (_client, opened) = session::open(config(scratch, endpoint), &reader.outbox)?;
    reader.answer(&opened)
}

fn failure(outcome: Outcome) -> Failure {
    outcome.unwrap_err()
}

#[test]
fn a_node_that_accepts_and_never_answers_meets_the_dial_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let scratch = Scratch::new();
    let begun = Instant::now();
    let failure = failure(open(&scratch, endpoint));
    assert_eq!(failure.code, Code::DialTimeout, "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_closed_port_is_unreachable_and_the_whole_chain_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let scratch = Scratch::new();
    for _ in 0..2 {
        let failure = failure(open(&scratch, endpoint.clone()));
        assert_eq!(
            failure.code,
            Code::NodeUnreachable,
            "a failed try locks nobody out"
        );
        assert!(failure.chain.len() >= 4, "{:?}", failure.chain);
        assert!(failure.chain.last().unwrap().contains("Connection refused"));
    }
}

#[test]
fn an_endpoint_that_cannot_be_is_refused_before_anything_is_made() {
    let endpoints = [
        "",
        "::::",
        "localhost:57291",
        "ftp://localhost",
        "http://",
        "http://a:99999",
        "http://a b:1",
        "http://a/b",
    ];
    for endpoint in endpoints {
        let scratch = Scratch::new();
        let failure = failure(open(&scratch, endpoint.to_owned()));
        assert_eq!(failure.code, Code::InvalidInput, "{endpoint}");
        assert!(!scratch.path().join("client").exists());
    }
}

#[test]
fn killing_a_client_that_dials_ends_it_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let scratch = Scratch::new();
    let mut config = config(&scratch, format!("http://{}", silent.local_addr().unwrap()));
    config.dial_timeout = Duration::from_secs(60);
    let mut reader = Reader::new();
    let (client, opened) = session::open(config, &reader.outbox).unwrap();
    let begun = Instant::now();
    client.kill();
    assert_eq!(reader.answer(&opened).unwrap_err().code, Code::ClientClosed);
    let closed = client.close(&reader.outbox);
    assert_eq!(reader.answer(&closed), Ok(Value::Done));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
