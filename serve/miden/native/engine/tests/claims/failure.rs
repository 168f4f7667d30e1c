use std::error::Error;
use std::fmt;
use std::io;

use miden_client::ClientError;
use miden_client::account::AccountId;
use miden_client::rpc::{GrpcError, RpcEndpoint, RpcError};
use miden_client::store::StoreError;
use mosaic_miden_engine::failure::{Code, Failure, one_line};

#[derive(Debug)]
struct Layer(&'static str, Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

fn request(error_kind: GrpcError, cause: &'static str) -> ClientError {
    ClientError::RpcError(RpcError::RequestError {
        endpoint: RpcEndpoint::Status,
        error_kind,
        endpoint_error: None,
        source: Some(Box::new(Layer(cause, None))),
    })
}

#[test]
fn the_chain_holds_every_cause_outermost_first() {
    let io = io::Error::other("disk on fire");
    let error = Layer("outer", Some(Box::new(Layer("inner", Some(Box::new(io))))));
    let failure = Failure::caused_by(Code::StoreFailed, "open", &error);
    assert_eq!(failure.chain, ["outer", "inner", "disk on fire"]);
    assert_eq!(
        failure.to_string(),
        "store_failed: open: outer: inner: disk on fire"
    );
}

#[test]
fn a_transparent_layer_is_told_once() {
    let error = Layer("same", Some(Box::new(Layer("same", None))));
    let failure = Failure::caused_by(Code::StoreFailed, "open", &error);
    assert_eq!(failure.chain, ["same"]);
}

#[test]
fn terminal_escapes_and_line_breaks_are_stripped() {
    let text = "\u{1b}[31m  × \u{1b}[1;4mfailed\u{1b}[0m\r\n   ╰─▶ at\tline 3\u{7}\n";
    assert_eq!(one_line(text), "× failed ╰─▶ at line 3");
    assert_eq!(one_line("\u{1b}[31"), "");
}

#[test]
fn failures_are_sorted_by_what_a_caller_can_do() {
    let id = AccountId::from_hex("0xf60ebf944636ccf10b3e51c06bb190").unwrap();
    let connection = RpcError::ConnectionError(Box::new(Layer("refused", None)));
    let cases = [
        (ClientError::RpcError(connection), Code::NodeUnreachable),
        (request(GrpcError::Unavailable, ""), Code::NodeUnreachable),
        (
            request(GrpcError::DeadlineExceeded, ""),
            Code::CommandTimeout,
        ),
        (
            request(GrpcError::Cancelled, "Timeout expired"),
            Code::CommandTimeout,
        ),
        (
            request(GrpcError::Cancelled, "by the node"),
            Code::NodeRejected,
        ),
        (
            request(GrpcError::Unknown(String::new()), "transport error"),
            Code::NodeUnreachable,
        ),
        (request(GrpcError::Unimplemented, ""), Code::NodeRejected),
        (
            request(GrpcError::ResourceExhausted, ""),
            Code::NodeRejected,
        ),
        (ClientError::AccountDataNotFound(id), Code::AccountNotFound),
        (
            StoreError::DatabaseError("disk full".to_owned()).into(),
            Code::StoreFailed,
        ),
        (ClientError::AccountNonceTooLow, Code::ClientFailed),
    ];
    for (error, code) in cases {
        assert_eq!(
            Failure::of_client("it failed", &error).code,
            code,
            "{error:?}"
        );
    }
}
