use miden_client::address::{Address, AddressId};
use mosaic_miden_engine::Code;
use mosaic_miden_engine::account::{
    AccountSpec, FaucetSpec, KeyScheme, build, encode_address, parse_id,
};

const SUPPLY_MAX: u64 = (1 << 63) - (1 << 31);

fn spec(public: bool, key_scheme: KeyScheme) -> AccountSpec {
    AccountSpec {
        public,
        key_scheme,
        faucet: None,
    }
}

#[test]
fn wallets_are_built_with_either_key_and_in_either_mode() {
    for key_scheme in [KeyScheme::Falcon, KeyScheme::Ecdsa] {
        for public in [true, false] {
            let (account, _key) = build(&spec(public, key_scheme)).unwrap();
            assert_eq!(account.id().is_public(), public);
            assert!(account.is_new() && account.seed().is_some());
        }
    }
}

#[test]
fn a_faucet_is_built_at_the_limits_of_its_token() {
    for (symbol, decimals, supply) in [("A", 0, 1), ("ABCDEF", 12, SUPPLY_MAX)] {
        let token = FaucetSpec::new(symbol, decimals, supply).unwrap();
        let spec = AccountSpec {
            faucet: Some(token),
            ..spec(true, KeyScheme::Ecdsa)
        };
        build(&spec).unwrap();
    }
}

#[test]
fn a_token_out_of_range_is_refused_before_the_library_bends_it() {
    let field_prime = u64::MAX - u64::from(u32::MAX) + 1;
    let cases = [
        ("", 0, 1, "symbol must be 1 to 6 letters A-Z, got \"\""),
        ("ABCDEFG", 0, 1, "symbol must be"),
        ("abc", 0, 1, "symbol must be"),
        ("AB1", 0, 1, "symbol must be"),
        ("ÄB", 0, 1, "symbol must be"),
        ("ABC", 13, 1, "decimals must be 0 to 12, got 13"),
        ("ABC", 0, 0, "max_supply must be 1 to"),
        ("ABC", 0, SUPPLY_MAX + 1, "max_supply must be 1 to"),
        ("ABC", 0, field_prime + 5, "max_supply must be 1 to"),
    ];
    for (symbol, decimals, supply, message) in cases {
        let failure = FaucetSpec::new(symbol, decimals, supply).unwrap_err();
        assert_eq!(failure.code, Code::InvalidInput);
        assert!(failure.message.starts_with(message), "{failure}");
    }
}

#[test]
fn two_accounts_never_share_an_id() {
    let wallet = spec(false, KeyScheme::Ecdsa);
    let (one, _) = build(&wallet).unwrap();
    let (other, _) = build(&wallet).unwrap();
    assert_ne!(one.id(), other.id());
}

#[test]
fn an_address_is_written_for_the_network_that_is_asked_for() {
    let (account, _) = build(&spec(false, KeyScheme::Ecdsa)).unwrap();
    let hex = account.id().to_hex();
    for (network, prefix) in [("localnet", "mlcl"), ("testnet", "mtst")] {
        let text = encode_address(&hex, network).unwrap();
        let (found, address) = Address::decode(&text).unwrap();
        assert_eq!(found.as_str(), prefix);
        assert_eq!(address.id(), AddressId::AccountId(account.id()));
    }
    let failure = encode_address(&hex, "Mainnet").unwrap_err();
    assert_eq!(failure.code, Code::InvalidInput);
}

#[test]
fn text_that_is_no_id_is_refused() {
    for text in ["", "0x", "0x00", "f60ebf944636ccf10b3e51c06bb190", "0xzz"] {
        assert_eq!(
            parse_id(text).unwrap_err().code,
            Code::InvalidInput,
            "{text}"
        );
    }
}
