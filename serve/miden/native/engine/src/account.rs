//! Accounts before they are stored: what may be asked for, and how it is built.

use miden_client::account::component::{
    AuthSingleSig, BasicWallet, BurnPolicyConfig, FungibleFaucet, MintPolicyConfig,
    PolicyRegistration, TokenName, TokenPolicyManager,
};
use miden_client::account::{
    Account, AccountBuilder, AccountBuilderSchemaCommitmentExt, AccountId, AccountType, Address,
    NetworkId,
};
use miden_client::asset::{AssetAmount, TokenSymbol};
use miden_client::auth::{AuthSchemeId, AuthSecretKey};
use rand::RngCore;

use crate::failure::{Code, Failure};

/// The bech32m prefix of each network, by the name that Python uses.
const NETWORKS: [(&str, &str); 2] = [("testnet", "mtst"), ("localnet", "mlcl")];

const SYMBOL_LENGTH_MAX: usize = 6;
const DECIMALS_MAX: u8 = 12;
/// 2^63 - 2^31: the largest amount of a fungible asset.
const SUPPLY_MAX: u64 = (1 << 63) - (1 << 31);

/// How an account signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScheme {
    /// Falcon-512 over Poseidon2.
    Falcon,
    /// ECDSA over K256 and Keccak.
    Ecdsa,
}

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSpec {
    /// Whether all of the state, or only its commitment, is on chain.
    pub public: bool,
    /// How it signs.
    pub key_scheme: KeyScheme,
    /// None for a wallet.
    pub faucet: Option<FaucetSpec>,
}

/// The token of a fungible faucet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaucetSpec {
    symbol: String,
    decimals: u8,
    max_supply: u64,
}

impl FaucetSpec {
    /// Checks a token's description, before the library could reduce or bend any of it.
    ///
    /// # Errors
    /// `InvalidInput`, naming the field, the rule and the value.
    pub fn new(symbol: &str, decimals: u8, max_supply: u64) -> Result<Self, Failure> {
        let letters = symbol.bytes().all(|letter| letter.is_ascii_uppercase());
        if !letters || symbol.is_empty() || symbol.len() > SYMBOL_LENGTH_MAX {
            return Err(Failure::new(
                Code::InvalidInput,
                format!("symbol must be 1 to {SYMBOL_LENGTH_MAX} letters A-Z, got {symbol:?}"),
            ));
        }
        if decimals > DECIMALS_MAX {
            return Err(Failure::new(
                Code::InvalidInput,
                format!("decimals must be 0 to {DECIMALS_MAX}, got {decimals}"),
            ));
        }
        if !(1..=SUPPLY_MAX).contains(&max_supply) {
            return Err(Failure::new(
                Code::InvalidInput,
                format!("max_supply must be 1 to {SUPPLY_MAX} (2^63 - 2^31), got {max_supply}"),
            ));
        }
        Ok(Self {
            symbol: symbol.to_owned(),
            decimals,
            max_supply,
        })
    }
}

/// Builds an account and its key. Takes some 0.4 s of one core with Falcon, 3 ms with ECDSA.
///
/// # Errors
/// `ClientFailed` if the library refuses the parts.
pub fn build(spec: &AccountSpec) -> Result<(Account, AuthSecretKey), Failure> {
    let (key, scheme) = match spec.key_scheme {
        KeyScheme::Falcon => (
            AuthSecretKey::new_falcon512_poseidon2(),
            AuthSchemeId::Falcon512Poseidon2,
        ),
        KeyScheme::Ecdsa => (
            AuthSecretKey::new_ecdsa_k256_keccak(),
            AuthSchemeId::EcdsaK256Keccak,
        ),
    };
    let mut seed = [0_u8; 32];
    rand::rng().fill_bytes(&mut seed);
    let builder = AccountBuilder::new(seed)
        .account_type(if spec.public {
            AccountType::Public
        } else {
            AccountType::Private
        })
        .with_auth_component(AuthSingleSig::new(key.public_key().to_commitment(), scheme));
    let builder = match &spec.faucet {
        None => builder.with_component(BasicWallet),
        Some(faucet) => with_faucet(builder, faucet).map_err(|error| refused(error.as_ref()))?,
    };
    let account = builder
        .build_with_schema_commitment()
        .map_err(|error| refused(&error))?;
    Ok((account, key))
}

fn with_faucet(
    builder: AccountBuilder,
    spec: &FaucetSpec,
) -> Result<AccountBuilder, Box<dyn std::error::Error>> {
    let faucet = FungibleFaucet::builder()
        .name(TokenName::new(&spec.symbol)?)
        .symbol(TokenSymbol::new(&spec.symbol)?)
        .decimals(spec.decimals)
        .max_supply(AssetAmount::new(spec.max_supply)?)
        .build()?;
    // No transfer policies: they switch asset callbacks on, and the asset is another one then.
    let policies = TokenPolicyManager::new()
        .with_mint_policy(MintPolicyConfig::AllowAll, PolicyRegistration::Active)?
        .with_burn_policy(BurnPolicyConfig::AllowAll, PolicyRegistration::Active)?;
    Ok(builder.with_component(faucet).with_components(policies))
}

fn refused(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::caused_by(Code::ClientFailed, "the account could not be built", error)
}

/// Reads an id from `0x` and 30 hex digits.
///
/// # Errors
/// `InvalidInput` if it is not the id of an account.
pub fn parse_id(hex: &str) -> Result<AccountId, Failure> {
    AccountId::from_hex(hex).map_err(|error| {
        let message = format!("account id must be 0x and 30 hex digits, got {hex:?}");
        Failure::caused_by(Code::InvalidInput, message, &error)
    })
}

/// The bech32m prefix of a network: `mtst` for `testnet`, `mlcl` for `localnet`.
///
/// # Errors
/// `InvalidInput` for any other name.
pub fn network_prefix(network: &str) -> Result<&'static str, Failure> {
    NETWORKS
        .iter()
        .find(|(name, _)| *name == network)
        .map(|(_, prefix)| *prefix)
        .ok_or_else(|| {
            let message = format!("network must be testnet or localnet, got {network:?}");
            Failure::new(Code::InvalidInput, message)
        })
}

/// Writes an account's address as the library does, for the network that is asked for.
///
/// # Errors
/// `InvalidInput` for a bad id or network.
pub fn encode_address(hex: &str, network: &str) -> Result<String, Failure> {
    let id = parse_id(hex)?;
    let prefix = network_prefix(network)?;
    let network = NetworkId::new(prefix).map_err(|error| {
        Failure::caused_by(Code::InvalidInput, "the network has no prefix", &error)
    })?;
    Ok(Address::new(id).encode(network))
}
