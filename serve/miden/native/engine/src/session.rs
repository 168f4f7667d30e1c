//! An open Miden client and the commands it carries out, each as a job of its actor.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use miden_client::account::{Account, AccountHeader, AccountId};
use miden_client::asset::Asset;
use miden_client::block::BlockNumber;
use miden_client::builder::ClientBuilder;
use miden_client::keystore::FilesystemKeyStore;
use miden_client::rpc::{Endpoint, GrpcClient, NodeRpcClient};
use miden_client::store::AccountStatus;
use miden_client::{Client, ClientError};
use miden_client_sqlite_store::ClientBuilderSqliteExt;

use crate::account::{self, AccountSpec};
use crate::actor::{Actor, Job};
use crate::directory::{CLIENT_ID_SETTING, Directory};
use crate::failure::{Code, Failure};
use crate::keys::DurableKeys;
use crate::outbox::{Outbox, Ticket};
use crate::timed_node::TimedNode;
use crate::value::{AccountRow, AssetRow, NodeStatus, Synced, Value};

/// How to open a client.
#[derive(Debug, Clone)]
pub struct Config {
    /// The client's own directory; made if it is missing.
    pub directory: PathBuf,
    /// The node, as `http://host:port` or `https://host`.
    pub endpoint: String,
    /// `testnet` or `localnet`.
    pub network: String,
    /// For the node to take a connection and answer on it.
    pub dial_timeout: Duration,
    /// For one request.
    pub request_timeout: Duration,
    /// For a whole sync, which is many requests.
    pub sync_timeout: Duration,
    /// How many commands may wait.
    pub queue_length_max: usize,
}

/// A client that is open: the state of its actor.
pub struct Session {
    client: Client<FilesystemKeyStore>,
    node: Arc<TimedNode>,
    keys: DurableKeys,
    genesis: String,
    /// True once the node has answered on the client's connection.
    connected: bool,
    /// Accounts whose key is on disk and that nobody sees yet.
    prepared: BTreeMap<AccountId, Account>,
    config: Config,
}

/// Opens a client on its own thread; the ticket is answered when it is open.
///
/// # Errors
/// `InvalidInput` for an endpoint or a network that cannot be; whatever else goes wrong is the
/// ticket's answer.
pub fn open(config: Config, outbox: &Arc<Outbox>) -> Result<(Actor<Session>, Ticket), Failure> {
    let endpoint = parse_endpoint(&config.endpoint)?;
    let prefix = account::network_prefix(&config.network)?;
    let path = config.directory.clone();
    Actor::start(
        "miden",
        config.queue_length_max,
        outbox,
        move || Directory::hold(&path, prefix),
        move |directory: &mut Directory| {
            Box::pin(async move { Session::open(directory, config, &endpoint).await })
        },
    )
}

fn parse_endpoint(text: &str) -> Result<Endpoint, Failure> {
    let invalid = || {
        let message = format!("endpoint must be http://host:port or https://host, got {text:?}");
        Failure::new(Code::InvalidInput, message)
    };
    let endpoint = Endpoint::try_from(text).map_err(|_| invalid())?;
    let known = matches!(endpoint.protocol(), "http" | "https") && text.contains("://");
    let host = endpoint.host();
    if !known || host.is_empty() || host.contains(['/', '@', ' ']) {
        return Err(invalid());
    }
    Ok(endpoint)
}

impl Session {
    async fn open(
        directory: &mut Directory,
        config: Config,
        endpoint: &Endpoint,
    ) -> Result<Self, Failure> {
        let request_ms = u64::try_from(config.request_timeout.as_millis()).unwrap_or(u64::MAX);
        let node = Arc::new(TimedNode(Arc::new(GrpcClient::new(endpoint, request_ms))));
        let keystore_path = directory.keystore_path();
        let keys = DurableKeys::open(&keystore_path)?;
        let keystore = FilesystemKeyStore::new(keystore_path)
            .map_err(|error| store_failed("the keystore cannot be read", &error))?;
        let store_path = directory.store_path();
        let client = ClientBuilder::new()
            .rpc(node.clone())
            .authenticator(Arc::new(keystore))
            .sqlite_store(store_path.clone())
            .build()
            .await
            .map_err(|error| store_failed(&store_path.display().to_string(), &error))?;
        let mut session = Self {
            client,
            node,
            keys,
            genesis: String::new(),
            connected: false,
            prepared: BTreeMap::new(),
            config,
        };
        match directory.marker().genesis.clone() {
            Some(genesis) => session.recognise(genesis).await?,
            None => session.found(directory).await?,
        }
        Ok(session)
    }

    /// Checks that a store that was there is of the chain that its marker names.
    async fn recognise(&mut self, genesis: String) -> Result<(), Failure> {
        let found = self.stored_genesis().await?;
        if found.as_ref() != Some(&genesis) {
            let found = found.unwrap_or_else(|| "none".to_owned());
            let message =
                format!("the store's genesis is {found}, its marker says {genesis}: foreign");
            return Err(Failure::new(Code::StoreFailed, message));
        }
        self.genesis = genesis;
        Ok(())
    }

    /// Makes a new store: fetches the genesis, and writes the marker last.
    async fn found(&mut self, directory: &mut Directory) -> Result<(), Failure> {
        let limit = self.config.dial_timeout;
        let fetching = self.client.ensure_genesis_in_place();
        within(limit, Code::DialTimeout, fetching)
            .await?
            .map_err(|error| unfounded(&error))?;
        self.connected = true;
        let id = directory.marker().client_id.clone();
        self.client
            .set_setting(CLIENT_ID_SETTING.to_owned(), id)
            .await
            .map_err(|error| store_failed("the store refused its client id", &error))?;
        self.genesis = self.stored_genesis().await?.unwrap_or_default();
        directory.settle(&self.genesis)
    }

    async fn stored_genesis(&self) -> Result<Option<String>, Failure> {
        self.client
            .get_block_header_by_num(BlockNumber::GENESIS)
            .await
            .map(|stored| stored.map(|(header, _)| header.commitment().to_hex()))
            .map_err(|error| store_failed("the store's genesis cannot be read", &error))
    }

    async fn node_status(&self) -> Result<NodeStatus, Failure> {
        let limit = self.config.request_timeout;
        let status = within(
            limit,
            Code::CommandTimeout,
            self.node.get_status_unversioned(),
        )
        .await?
        .map_err(|error| Failure::of_rpc("the node gave no status", &error))?;
        let genesis = status.genesis_commitment;
        Ok(NodeStatus {
            version: status.version,
            genesis_commitment: genesis.map(|word| word.to_hex()).unwrap_or_default(),
            chain_tip: status.chain_tip,
        })
    }

    async fn sync(&mut self) -> Result<Synced, Failure> {
        if !self.connected {
            self.meet_node().await?;
        }
        let limit = self.config.sync_timeout;
        let summary = within(limit, Code::CommandTimeout, self.client.sync_state())
            .await?
            .map_err(|error| Failure::of_client("the sync failed", &error))?;
        Ok(Synced {
            block_number: summary.block_num.as_u32(),
            new_public_notes: texts(summary.new_public_notes),
            committed_notes: texts(summary.committed_notes),
            consumed_notes: texts(summary.consumed_notes),
            updated_accounts: texts(summary.updated_accounts),
            locked_accounts: texts(summary.locked_accounts),
            committed_transactions: texts(summary.committed_transactions),
        })
    }

    /// Asks a node that this client has not spoken to yet whether it is on the store's chain.
    async fn meet_node(&mut self) -> Result<(), Failure> {
        let status = self
            .node_status()
            .await
            .map_err(|failure| match failure.code {
                Code::CommandTimeout => Failure {
                    code: Code::DialTimeout,
                    ..failure
                },
                _ => failure,
            })?;
        if status.genesis_commitment != self.genesis {
            let message = format!(
                "{}: the node's genesis is {}, the store's {}: another chain",
                self.config.endpoint, status.genesis_commitment, self.genesis,
            );
            return Err(Failure::new(Code::NetworkMismatch, message));
        }
        self.connected = true;
        Ok(())
    }

    async fn prepare(&mut self, spec: &AccountSpec) -> Result<AccountId, Failure> {
        let (account, key) = account::build(spec)?;
        let id = account.id();
        self.keys.add(&key, id).await?;
        self.prepared.insert(id, account);
        Ok(id)
    }

    async fn add(&mut self, id: AccountId) -> Result<(), Failure> {
        if self.header(id).await?.is_some() {
            self.prepared.remove(&id);
            return Ok(());
        }
        let Some(account) = self.prepared.get(&id) else {
            let message = format!("{id}: this client neither prepared nor holds the account");
            return Err(Failure::new(Code::AccountNotFound, message));
        };
        self.client
            .add_account(account, false)
            .await
            .map_err(|error| Failure::of_client("the account could not be stored", &error))?;
        self.prepared.remove(&id);
        Ok(())
    }

    async fn header(
        &self,
        id: AccountId,
    ) -> Result<Option<(AccountHeader, AccountStatus)>, Failure> {
        match self.client.account_reader(id).header().await {
            Ok(found) => Ok(Some(found)),
            Err(ClientError::AccountDataNotFound(_)) => Ok(None),
            Err(error) => Err(Failure::of_client("the account could not be read", &error)),
        }
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, Failure> {
        let found = self
            .client
            .get_account_headers()
            .await
            .map_err(|error| Failure::of_client("the accounts could not be read", &error))?;
        let mut rows: Vec<_> = found.iter().map(row).collect();
        rows.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        Ok(rows)
    }

    async fn status(&self, id: AccountId) -> Result<Value, Failure> {
        let Some(found) = self.header(id).await? else {
            let message = format!("{id}: the client's store does not hold the account");
            return Err(Failure::new(Code::AccountNotFound, message));
        };
        let vault =
            self.client.get_account_vault(id).await.map_err(|error| {
                Failure::of_client("the account's assets cannot be read", &error)
            })?;
        let mut assets: Vec<_> = vault
            .assets()
            .filter_map(|asset| match asset {
                Asset::Fungible(asset) => Some(AssetRow {
                    faucet: asset.faucet_id().to_hex(),
                    amount: asset.amount().as_u64(),
                }),
                Asset::NonFungible(_) => None,
            })
            .collect();
        assets.sort_by(|a, b| a.faucet.cmp(&b.faucet));
        Ok(Value::AccountStatus(row(&found), assets))
    }
}

/// Asks the node for its status, on a connection of its own.
pub fn node_status() -> Job<Session> {
    Box::new(|session| Box::pin(async { session.node_status().await.map(Value::NodeStatus) }))
}

/// Brings the store to the chain's tip.
pub fn sync() -> Job<Session> {
    Box::new(|session| Box::pin(async { session.sync().await.map(Value::Synced) }))
}

/// Builds an account and puts its key on disk; nobody sees it yet.
pub fn prepare(spec: AccountSpec) -> Job<Session> {
    Box::new(move |session| {
        Box::pin(async move {
            let id = session.prepare(&spec).await?;
            Ok(Value::AccountId(id.to_hex()))
        })
    })
}

/// Makes a prepared account visible in the store; no effect if it is already.
pub fn add(id: AccountId) -> Job<Session> {
    Box::new(move |session| Box::pin(async move { session.add(id).await.map(|()| Value::Done) }))
}

/// Prepares and adds an account in one job.
pub fn create(spec: AccountSpec) -> Job<Session> {
    Box::new(move |session| {
        Box::pin(async move {
            let id = session.prepare(&spec).await?;
            session.add(id).await?;
            Ok(Value::AccountId(id.to_hex()))
        })
    })
}

/// Lists the store's accounts, by id.
pub fn list_accounts() -> Job<Session> {
    Box::new(|session| Box::pin(async { session.accounts().await.map(Value::Accounts) }))
}

/// Reads one account, or none.
pub fn get_account(id: AccountId) -> Job<Session> {
    Box::new(move |session| {
        Box::pin(async move {
            let found = session.header(id).await?;
            Ok(Value::Account(found.as_ref().map(row)))
        })
    })
}

/// Reads one account with its fungible assets.
pub fn get_account_status(id: AccountId) -> Job<Session> {
    Box::new(move |session| Box::pin(async move { session.status(id).await }))
}

fn row((header, status): &(AccountHeader, AccountStatus)) -> AccountRow {
    AccountRow {
        account_id: header.id().to_hex(),
        storage_mode: if header.id().is_public() {
            "public"
        } else {
            "private"
        },
        state: match status {
            AccountStatus::New { .. } => "new",
            AccountStatus::Tracked => "tracked",
            AccountStatus::Locked { .. } => "locked",
        },
        nonce: header.nonce().as_canonical_u64(),
    }
}

fn texts<T: ToString>(ids: Vec<T>) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// No genesis was named yet, so what a node may mind about the header is the version alone.
fn unfounded(error: &ClientError) -> Failure {
    let mut failure = Failure::of_client("the node's genesis could not be had", error);
    if failure.code == Code::NetworkMismatch {
        failure.code = Code::NodeRejected;
    }
    failure
}

/// The library has no deadline for connecting, so every call that may connect gets one here.
async fn within<F: Future>(limit: Duration, code: Code, call: F) -> Result<F::Output, Failure> {
    tokio::time::timeout(limit, call).await.map_err(|_| {
        let message = format!(
            "the node did not answer within {:.3} s",
            limit.as_secs_f64()
        );
        Failure::new(code, message)
    })
}

fn store_failed(what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::caused_by(Code::StoreFailed, what, error)
}
