//! Why a command failed: a code to branch on, a message, and the whole chain of causes.

use std::error::Error;
use std::fmt;

use miden_client::ClientError;
use miden_client::rpc::{GrpcError, RpcError};
use miden_client::store::StoreError;

/// The kinds of failure a caller can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// An argument that no retry can make good.
    InvalidInput,
    /// The store or the node belongs to another network.
    NetworkMismatch,
    /// The store does not hold the account.
    AccountNotFound,
    /// The store, its marker or the keystore is unreadable, foreign, or refused a write.
    StoreFailed,
    /// Another client holds the directory.
    StoreInUse,
    /// No connection to the node, or it broke.
    NodeUnreachable,
    /// The node answered, and said no, or nonsense.
    NodeRejected,
    /// The node did not take the connection in time.
    DialTimeout,
    /// The node did not answer in time.
    CommandTimeout,
    /// The client was closed, or died, before it answered.
    ClientClosed,
    /// The queue is full; nothing was queued.
    Busy,
    /// Anything else that the client library reports.
    ClientFailed,
}

impl Code {
    /// The name that Python maps to an exception class.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::NetworkMismatch => "network_mismatch",
            Self::AccountNotFound => "account_not_found",
            Self::StoreFailed => "store_failed",
            Self::StoreInUse => "store_in_use",
            Self::NodeUnreachable => "node_unreachable",
            Self::NodeRejected => "node_rejected",
            Self::DialTimeout => "dial_timeout",
            Self::CommandTimeout => "command_timeout",
            Self::ClientClosed => "client_closed",
            Self::Busy => "busy",
            Self::ClientFailed => "client_failed",
        }
    }
}

/// A failed command. `chain` holds every `source()` below `message`, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What to branch on.
    pub code: Code,
    /// What happened, in one line.
    pub message: String,
    /// Why, cause by cause, one line each.
    pub chain: Vec<String>,
}

impl Failure {
    /// A failure of our own finding: a message, no causes.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        Self {
            code,
            message: one_line(message.as_ref()),
            chain: Vec::new(),
        }
    }

    /// A failure with the error that caused it, and everything below that error.
    pub fn caused_by(code: Code, message: impl AsRef<str>, cause: &(dyn Error + 'static)) -> Self {
        let mut chain = Vec::new();
        let mut next = Some(cause);
        while let Some(error) = next {
            let line = one_line(&error.to_string());
            // `#[error(transparent)]` repeats its source word for word.
            if chain.last() != Some(&line) {
                chain.push(line);
            }
            next = error.source();
        }
        Self {
            code,
            message: one_line(message.as_ref()),
            chain,
        }
    }

    /// A failure of the client library, sorted by what a caller can do about it.
    pub fn of_client(what: &str, error: &ClientError) -> Self {
        let mut failure = Self::caused_by(Code::ClientFailed, what, error);
        failure.code = code_of_client(error, &failure.chain);
        failure
    }

    /// A failure of a request to the node.
    pub fn of_rpc(what: &str, error: &RpcError) -> Self {
        let mut failure = Self::caused_by(Code::NodeRejected, what, error);
        failure.code = code_of_rpc(error, &failure.chain);
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)?;
        self.chain
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl Error for Failure {}

fn code_of_client(error: &ClientError, chain: &[String]) -> Code {
    match error {
        ClientError::RpcError(rpc) => code_of_rpc(rpc, chain),
        ClientError::AccountDataNotFound(_)
        | ClientError::StoreError(StoreError::AccountDataNotFound(_)) => Code::AccountNotFound,
        ClientError::StoreError(_) | ClientError::DataDeserializationError(_) => Code::StoreFailed,
        _ => Code::ClientFailed,
    }
}

fn code_of_rpc(error: &RpcError, chain: &[String]) -> Code {
    match error {
        RpcError::AcceptHeaderError(_) => Code::NetworkMismatch,
        RpcError::ConnectionError(_) => Code::NodeUnreachable,
        RpcError::InvalidNodeEndpoint(_) => Code::InvalidInput,
        RpcError::RequestError { error_kind, .. } => code_of_status(error_kind, chain),
        _ => Code::NodeRejected,
    }
}

/// tonic reports its own deadline as `Cancelled`, and a broken connection as `Unknown` or
/// `Internal`; only the texts of the causes tell them from the node's own words.
fn code_of_status(kind: &GrpcError, chain: &[String]) -> Code {
    let says = |text: &str| chain.iter().any(|cause| cause.contains(text));
    match kind {
        GrpcError::Unavailable => Code::NodeUnreachable,
        GrpcError::DeadlineExceeded => Code::CommandTimeout,
        GrpcError::Cancelled if says("Timeout expired") => Code::CommandTimeout,
        GrpcError::Unknown(_) | GrpcError::Internal | GrpcError::Cancelled
            if says("transport error") || says("h2 protocol error") || says("BrokenPipe") =>
        {
            Code::NodeUnreachable
        }
        _ => Code::NodeRejected,
    }
}

/// Strips terminal escapes and folds white space, line breaks included, into single spaces.
pub fn one_line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(if letter.is_control() { ' ' } else { letter });
            continue;
        }
        if letters.next_if_eq(&'[').is_some() {
            // A control sequence ends with its first byte in @ to ~.
            letters.by_ref().find(|last| ('@'..='~').contains(last));
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
