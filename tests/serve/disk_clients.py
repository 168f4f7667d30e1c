"""Clients whose stores are on disk, so that they outlive the process."""

import secrets

from serve import AccountId
from serve.domain.account_specs import StorageMode
from serve.domain.client_values import AccountState, ClientAccount
from tests.serve.conftest import MemoryClientFactory


class Held(dict[AccountId, ClientAccount]):
    """The accounts of a client's directory, a file each, written before it is answered."""

    def __init__(self, directory):
        super().__init__()
        self.folder = directory / "held"
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.folder.iterdir():
            super().__setitem__(AccountId.from_hex(file.name), account(file.name))

    def __setitem__(self, account_id, held):
        (self.folder / account_id.hex).touch()
        super().__setitem__(account_id, held)


def account(name):
    return ClientAccount(
        account_id=AccountId.from_hex(name),
        storage_mode=StorageMode.PRIVATE,
        state=AccountState.NEW,
        nonce=0,
    )


class DiskClientFactory(MemoryClientFactory):
    """Starts clients on disk; their ids are never the same again."""

    async def spawn(self, directory, network, *, dial_timeout_s):
        self.disks[directory] = Held(directory)
        return await super().spawn(directory, network, dial_timeout_s=dial_timeout_s)

    def next_account_id(self, *, public):
        raw = bytearray(secrets.token_bytes(15))
        raw[0] &= 0x7F
        raw[7] = 0x11 if public else 0x01
        raw[8] &= 0x7F
        return AccountId(bytes(raw))
