"""What docs/guide shows of the Python SDK."""

from pathlib import Path

from temporalio.client import Client, TLSConfig

from harness.encryption_codec import converter_of


async def encrypted_client(address: str, keys: Path) -> Client:
    return await Client.connect(address, data_converter=converter_of(keys))


async def over_mutual_tls(address: str, roots: Path, certificate: Path, key: Path) -> Client:
    tls = TLSConfig(
        server_root_ca_cert=roots.read_bytes(),
        client_cert=certificate.read_bytes(),
        client_private_key=key.read_bytes(),
    )
    return await Client.connect(address, tls=tls)
