//! What a command answers: plain values that cross threads and know nothing of their reader.

/// The answer of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing but the fact that it was done.
    Done,
    /// The command was cancelled before its turn, and did nothing.
    Skipped,
    /// The node's own words about itself.
    NodeStatus(NodeStatus),
    /// What a sync brought.
    Synced(Synced),
    /// An account id as `0x` and 30 hex digits.
    AccountId(String),
    /// One account of the store, or none.
    Account(Option<AccountRow>),
    /// All accounts of the store, by id.
    Accounts(Vec<AccountRow>),
    /// One account with what it owns.
    AccountStatus(AccountRow, Vec<AssetRow>),
}

/// A node's status reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node's version.
    pub version: String,
    /// `0x` and 64 hex digits.
    pub genesis_commitment: String,
    /// The last block's number.
    pub chain_tip: u32,
}

/// A sync's summary; ids are hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The block that the store is now synced to.
    pub block_number: u32,
    /// Public notes seen for the first time.
    pub new_public_notes: Vec<String>,
    /// Tracked notes that were committed.
    pub committed_notes: Vec<String>,
    /// Tracked notes that were consumed.
    pub consumed_notes: Vec<String>,
    /// Accounts whose state moved on chain.
    pub updated_accounts: Vec<String>,
    /// Private accounts found out of step with the chain.
    pub locked_accounts: Vec<String>,
    /// Own transactions that were committed.
    pub committed_transactions: Vec<String>,
}

/// One account as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// `0x` and 30 hex digits.
    pub account_id: String,
    /// `private` or `public`.
    pub storage_mode: &'static str,
    /// `new`, `tracked` or `locked`.
    pub state: &'static str,
    /// The number of transactions the account has seen.
    pub nonce: u64,
}

/// One fungible asset of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRow {
    /// The issuing faucet's id, hex.
    pub faucet: String,
    /// Base units.
    pub amount: u64,
}
