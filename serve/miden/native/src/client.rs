//! A client as Python sees it: each method queues a command and returns at once.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mosaic_miden_engine::account::{AccountSpec, FaucetSpec, KeyScheme, parse_id};
use mosaic_miden_engine::actor::{Actor, Job};
use mosaic_miden_engine::hold::{self, Stop};
use mosaic_miden_engine::session::{self, Config, Session};
use mosaic_miden_engine::{Code, Failure};
use pyo3::prelude::*;

use crate::convert::raised;
use crate::mailbox::{Mailbox, Ticket};

/// One Miden client on an OS thread of its own, commands one at a time and in order.
///
/// Dropping it closes it without waiting: what is queued still runs.
#[pyclass(frozen, module = "mosaic_miden_client")]
pub struct Client {
    actor: Actor<Session>,
    /// Where the next command is to stop.
    next_stop: Mutex<Option<Stop>>,
}

/// Keeps a client in front of a command until it is released or dropped.
#[pyclass(frozen, module = "mosaic_miden_client")]
pub struct Hold(hold::Hold);

#[pymethods]
impl Hold {
    /// Lets the client go on with the command. No effect the second time.
    fn release(&self) {
        self.0.release();
    }
}

#[pymethods]
impl Client {
    /// Starts a client on its directory; the ticket is answered when it is open.
    #[staticmethod]
    #[pyo3(signature = (
        mailbox, directory, endpoint, network, *,
        dial_timeout_s, request_timeout_s, sync_timeout_s, queue_length_max
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only on Python's side")]
    fn open(
        mailbox: &Mailbox,
        directory: PathBuf,
        endpoint: String,
        network: String,
        dial_timeout_s: f64,
        request_timeout_s: f64,
        sync_timeout_s: f64,
        queue_length_max: usize,
    ) -> PyResult<(Self, Ticket)> {
        let config = Config {
            directory,
            endpoint,
            network,
            dial_timeout: seconds("dial_timeout_s", dial_timeout_s)?,
            request_timeout: seconds("request_timeout_s", request_timeout_s)?,
            sync_timeout: seconds("sync_timeout_s", sync_timeout_s)?,
            queue_length_max,
        };
        let (actor, ticket) = session::open(config, &mailbox.outbox).map_err(raised)?;
        let next_stop = Mutex::new(None);
        Ok((Self { actor, next_stop }, Ticket(ticket)))
    }

    /// True once no more commands are taken: closed, killed, dead, or never opened.
    #[getter]
    fn closed(&self) -> bool {
        self.actor.is_closed()
    }

    /// Asks the node for its status. Answer: a dict, see `NodeStatus`.
    fn node_status(&self, mailbox: &Mailbox) -> PyResult<Ticket> {
        self.submit(mailbox, session::node_status())
    }

    /// Brings the store to the chain's tip. Answer: a dict, see `SyncSummary`.
    fn sync(&self, mailbox: &Mailbox) -> PyResult<Ticket> {
        self.submit(mailbox, session::sync())
    }

    /// Builds a wallet and puts its key on disk; nobody sees it yet. Answer: its id.
    fn prepare_wallet(
        &self,
        mailbox: &Mailbox,
        storage_mode: &str,
        key_scheme: &str,
    ) -> PyResult<Ticket> {
        let spec = wallet(storage_mode, key_scheme)?;
        self.submit(mailbox, session::prepare(spec))
    }

    /// Builds a fungible faucet and puts its key on disk; nobody sees it yet. Answer: its id.
    fn prepare_faucet(
        &self,
        mailbox: &Mailbox,
        symbol: &str,
        decimals: &Bound<'_, PyAny>,
        max_supply: &Bound<'_, PyAny>,
        storage_mode: &str,
        key_scheme: &str,
    ) -> PyResult<Ticket> {
        let spec = faucet(
            symbol,
            decimals,
            max_supply,
            wallet(storage_mode, key_scheme)?,
        )?;
        self.submit(mailbox, session::prepare(spec))
    }

    /// Makes a prepared account visible in the store; no effect if it is already. Answer: None.
    fn add_account(&self, mailbox: &Mailbox, account_id: &str) -> PyResult<Ticket> {
        let id = parse_id(account_id).map_err(raised)?;
        self.submit(mailbox, session::add(id))
    }

    /// Prepares and adds a wallet in one command. Answer: its id.
    fn create_wallet(
        &self,
        mailbox: &Mailbox,
        storage_mode: &str,
        key_scheme: &str,
    ) -> PyResult<Ticket> {
        let spec = wallet(storage_mode, key_scheme)?;
        self.submit(mailbox, session::create(spec))
    }

    /// Prepares and adds a fungible faucet in one command. Answer: its id.
    fn create_faucet(
        &self,
        mailbox: &Mailbox,
        symbol: &str,
        decimals: &Bound<'_, PyAny>,
        max_supply: &Bound<'_, PyAny>,
        storage_mode: &str,
        key_scheme: &str,
    ) -> PyResult<Ticket> {
        let spec = faucet(
            symbol,
            decimals,
            max_supply,
            wallet(storage_mode, key_scheme)?,
        )?;
        self.submit(mailbox, session::create(spec))
    }

    /// Lists the store's accounts, by id. Answer: a tuple of dicts, see `Account`.
    fn list_accounts(&self, mailbox: &Mailbox) -> PyResult<Ticket> {
        self.submit(mailbox, session::list_accounts())
    }

    /// Reads one account. Answer: a dict, see `Account`, or None.
    fn get_account(&self, mailbox: &Mailbox, account_id: &str) -> PyResult<Ticket> {
        let id = parse_id(account_id).map_err(raised)?;
        self.submit(mailbox, session::get_account(id))
    }

    /// Reads one account with its fungible assets. Answer: a dict, see `AccountStatus`.
    fn get_account_status(&self, mailbox: &Mailbox, account_id: &str) -> PyResult<Ticket> {
        let id = parse_id(account_id).map_err(raised)?;
        self.submit(mailbox, session::get_account_status(id))
    }

    /// Refuses later commands, lets the queued ones run, and answers None once the thread has given
    /// everything back. May be called again and again.
    fn close(&self, mailbox: &Mailbox) -> Ticket {
        Ticket(self.actor.close(&mailbox.outbox))
    }

    /// Ends the client without draining, for tests and for emergencies.
    ///
    /// What waits is answered `client_closed`; a command under way is dropped where it next waits
    /// for the node or the disk, or runs on to there.
    fn kill(&self) {
        self.actor.kill();
    }

    /// Lets the next command stop when its turn has come, before it does anything; for tests.
    ///
    /// The ticket is answered None once the client stands still there.
    fn hold_next(&self, mailbox: &Mailbox) -> (Hold, Ticket) {
        let (hold, stop, ticket) = hold::hold(&mailbox.outbox);
        *self.next_stop() = Some(stop);
        (Hold(hold), Ticket(ticket))
    }

    /// Waits, without the GIL, for the thread's end; False if the time is up first.
    fn join(&self, py: Python<'_>, timeout_s: f64) -> PyResult<bool> {
        let timeout = seconds("timeout_s", timeout_s)?;
        Ok(py.detach(|| self.actor.join(timeout)))
    }
}

impl Client {
    fn next_stop(&self) -> MutexGuard<'_, Option<Stop>> {
        self.next_stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, mailbox: &Mailbox, job: Job<Session>) -> PyResult<Ticket> {
        let stop = self.next_stop().take();
        let job = match stop {
            Some(stop) => stop.before(job),
            None => job,
        };
        self.actor
            .submit(&mailbox.outbox, job)
            .map(Ticket)
            .map_err(raised)
    }
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(invalid(format!("{name} must be above 0, got {value}"))),
    }
}

fn wallet(storage_mode: &str, key_scheme: &str) -> PyResult<AccountSpec> {
    Ok(AccountSpec {
        public: match storage_mode {
            "public" => true,
            "private" => false,
            _ => {
                let rule = "storage_mode must be private or public";
                return Err(invalid(format!("{rule}, got {storage_mode:?}")));
            }
        },
        key_scheme: match key_scheme {
            "falcon" => KeyScheme::Falcon,
            "ecdsa" => KeyScheme::Ecdsa,
            _ => {
                let rule = "key_scheme must be falcon or ecdsa";
                return Err(invalid(format!("{rule}, got {key_scheme:?}")));
            }
        },
        faucet: None,
    })
}

fn faucet(
    symbol: &str,
    decimals: &Bound<'_, PyAny>,
    max_supply: &Bound<'_, PyAny>,
    account: AccountSpec,
) -> PyResult<AccountSpec> {
    // A number too large for the machine's types is as bad as one too large for the chain.
    let decimals = decimals
        .extract()
        .map_err(|_| invalid(format!("decimals must be 0 to 12, got {decimals}")))?;
    let max_supply = max_supply.extract().map_err(|_| {
        invalid(format!(
            "max_supply must be 1 to 2^63 - 2^31, got {max_supply}"
        ))
    })?;
    let token = FaucetSpec::new(symbol, decimals, max_supply).map_err(raised)?;
    Ok(AccountSpec {
        faucet: Some(token),
        ..account
    })
}

fn invalid(message: String) -> PyErr {
    raised(Failure::new(Code::InvalidInput, message))
}
