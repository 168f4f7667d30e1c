//! The connection to a node, whose every request counts as waiting for the node.

use std::collections::BTreeSet;
use std::sync::Arc;

use miden_client::Word;
use miden_client::account::AccountId;
use miden_client::async_trait;
use miden_client::block::{BlockHeader, BlockNumber};
use miden_client::crypto::MmrProof;
use miden_client::note::{NoteId, NoteScript, NoteTag};
use miden_client::rpc::domain::account::{AccountProof, GetAccountRequest};
use miden_client::rpc::domain::account_vault::AccountVaultInfo;
use miden_client::rpc::domain::note::{FetchedNote, NoteSyncBlock};
use miden_client::rpc::domain::nullifier::NullifierUpdate;
use miden_client::rpc::domain::storage_map::StorageMapInfo;
use miden_client::rpc::domain::sync::{ChainMmrInfo, SyncTarget};
use miden_client::rpc::domain::transaction::TransactionRecord;
use miden_client::rpc::{NetworkNoteStatusInfo, NodeRpcClient, RpcError, RpcLimits, RpcStatusInfo};
use miden_client::transaction::{ProvenTransaction, TransactionInputs};
use miden_protocol::address::NetworkId;
use miden_protocol::batch::{ProposedBatch, ProvenBatch};
use miden_protocol::block::ProvenBlock;

use crate::times::request;

/// A node behind a connection of the library. Share it; it holds nothing else.
pub struct TimedNode(pub Arc<dyn NodeRpcClient>);

/// Passes requests on, each as the library declares it, and times them.
macro_rules! timed {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl NodeRpcClient for TimedNode {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, RpcError> {
                request(self.0.$name($($argument),*)).await
            })*

            // These four only look at, or set, what the connection knows.
            async fn set_genesis_commitment(&self, commitment: Word) -> Result<(), RpcError> {
                self.0.set_genesis_commitment(commitment).await
            }

            fn has_genesis_commitment(&self) -> Option<Word> {
                self.0.has_genesis_commitment()
            }

            fn has_rpc_limits(&self) -> Option<RpcLimits> {
                self.0.has_rpc_limits()
            }

            async fn set_rpc_limits(&self, limits: RpcLimits) {
                self.0.set_rpc_limits(limits).await;
            }
        }
    };
}

timed! {
    submit_proven_transaction(
        proven: ProvenTransaction, inputs: TransactionInputs
    ) -> BlockNumber;
    submit_proven_batch(
        proven: ProvenBatch, proposed: ProposedBatch, inputs: Vec<TransactionInputs>
    ) -> BlockNumber;
    get_block_header_by_number(
        number: Option<BlockNumber>, with_proof: bool
    ) -> (BlockHeader, Option<MmrProof>);
    get_block_by_number(number: BlockNumber, with_proof: bool) -> ProvenBlock;
    get_notes_by_id(ids: &[NoteId]) -> Vec<FetchedNote>;
    sync_chain_mmr(from: BlockNumber, up_to: SyncTarget) -> ChainMmrInfo;
    sync_notes(
        from: BlockNumber, up_to: BlockNumber, tags: &BTreeSet<NoteTag>
    ) -> Vec<NoteSyncBlock>;
    sync_nullifiers(
        prefix: &[u16], from: BlockNumber, up_to: BlockNumber
    ) -> Vec<NullifierUpdate>;
    get_account(id: AccountId, request: GetAccountRequest) -> (BlockNumber, AccountProof);
    get_note_script_by_root(root: Word) -> Option<NoteScript>;
    sync_storage_maps(
        from: BlockNumber, up_to: BlockNumber, id: AccountId
    ) -> StorageMapInfo;
    sync_account_vault(
        from: BlockNumber, up_to: BlockNumber, id: AccountId
    ) -> AccountVaultInfo;
    sync_transactions(
        from: BlockNumber, up_to: BlockNumber, ids: Vec<AccountId>
    ) -> Vec<TransactionRecord>;
    get_network_id() -> NetworkId;
    get_rpc_limits() -> RpcLimits;
    get_status_unversioned() -> RpcStatusInfo;
    get_network_note_status(id: NoteId) -> NetworkNoteStatusInfo;
}
