"""A payload codec as the SDKs' encryption samples have it: AES-256-GCM over the whole payload, with
the nonce before and the tag behind."""

import base64
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

ENCODING = b"binary/encrypted"
NONCE_BYTES = 12


class EncryptionCodec(PayloadCodec):
    """`keys` maps ids to keys of 32 bytes; `key_id` names the one that encrypts."""

    def __init__(self, key_id: str, keys: dict[str, bytes]) -> None:
        self.key_id = key_id
        self.keys = {name: AESGCM(key) for name, key in keys.items()}

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.keys[self.key_id].encrypt(nonce, payload.SerializeToString(), None)
        metadata = {"encoding": ENCODING, "encryption-key-id": self.key_id.encode()}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key = self.keys[payload.metadata["encryption-key-id"].decode()]
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        return Payload.FromString(key.decrypt(nonce, sealed, None))


def codec_of(key_file: Path) -> EncryptionCodec:
    """Reads a file of keys: a line `ID: KEY IN BASE64` each, the key that encrypts first."""
    lines = [line.strip() for line in key_file.read_text().splitlines()]
    pairs = [line.rsplit(":", 1) for line in lines if line and not line.startswith("#")]
    keys = {name.strip(): base64.b64decode(key) for name, key in pairs}
    return EncryptionCodec(next(iter(keys)), keys)


def converter_of(key_file: Path) -> DataConverter:
    """What encrypts payloads, and the messages and stack traces of failures."""
    return replace(
        DataConverter.default,
        payload_codec=codec_of(key_file),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
