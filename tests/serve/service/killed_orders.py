"""What the process that is killed is asked for."""

from serve import CreateClient, CreateFaucet, Network

USERS = [bytes([number]) * 32 for number in range(4)]
NETWORKS = tuple(Network)
KEYS = ("a", "b", "token")


def order_of(key, network):
    if key == "token":
        return CreateFaucet(network=network, token_symbol="ABC", decimals=2, max_supply=100)
    # Two equal orders: only their keys tell them apart.
    return CreateClient(network=network, name="purse")
