"""JSON web tokens that `openssl` signs, and the key sets that vouch for them."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from pathlib import Path

from harness.certificates import openssl

AUDIENCE = "temporal"
ISSUER = "https://issuer.test"


def encoded(data: bytes | dict) -> str:
    """Base64 as tokens have it."""
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """A key of an issuer: `algorithm` is one of RS256, PS256, ES256, EdDSA."""

    def __init__(self, folder: Path, kid: str, algorithm: str = "RS256") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.kid, self.algorithm, self.path = kid, algorithm, folder / f"{kid}.key"
        kinds = {
            "RS256": ("RSA", "rsa_keygen_bits:2048"),
            "PS256": ("RSA", "rsa_keygen_bits:2048"),
            "ES256": ("EC", "ec_paramgen_curve:P-256"),
            "EdDSA": ("ed25519", ""),
        }
        kind, option = kinds[algorithm]
        words = ("-pkeyopt", option) if option else ()
        openssl("genpkey", "-algorithm", kind, *words, "-out", str(self.path))

    def public_pem(self) -> str:
        return openssl("pkey", "-in", str(self.path), "-pubout")

    def jwk(self) -> dict:
        """The public half, as issuers publish it."""
        der = _bytes("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")
        named = {"kid": self.kid, "use": "sig"}
        if self.algorithm == "EdDSA":
            return named | {"kty": "OKP", "crv": "Ed25519", "x": encoded(der[-32:])}
        if self.algorithm == "ES256":
            x, y = der[-64:-32], der[-32:]
            return named | {"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)}
        modulus = openssl("rsa", "-in", str(self.path), "-modulus", "-noout").split("=")[1].strip()
        n = encoded(bytes.fromhex(modulus))
        return named | {"kty": "RSA", "n": n, "e": encoded((65537).to_bytes(3, "big"))}

    def token(self, *permissions: str, header: dict | None = None, **claims) -> str:
        """A token with these permissions; a claim that is None is left out."""
        now = int(time.time())
        body = {
            "sub": "tester",
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "permissions": list(permissions),
        } | claims
        body = {name: value for name, value in body.items() if value is not None}
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | (header or {})
        signed = f"{encoded(head)}.{encoded(body)}"
        return f"{signed}.{encoded(self.sign(signed.encode(), head['alg']))}"

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """A signature; `none` and `HS256` (with the public key as the secret) are the attacks."""
        if algorithm == "none":
            return b""
        if algorithm == "HS256":
            return hmac.new(self.public_pem().encode(), data, hashlib.sha256).digest()
        signed = self.path.with_suffix(".data")
        signed.write_bytes(data)
        if algorithm == "EdDSA":
            words = ("pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(signed))
            return _bytes(*words)
        words = ("dgst", "-sha256", "-sign", str(self.path))
        if algorithm == "PS256":
            words += ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
        signature = _bytes(*words, str(signed))
        return _raw(signature) if algorithm == "ES256" else signature


def publish(path: Path, *keys: SigningKey) -> None:
    """Writes a key set as a whole."""
    path.with_suffix(".new").write_text(json.dumps({"keys": [key.jwk() for key in keys]}))
    path.with_suffix(".new").rename(path)


def trusting(folder: Path, *keys: SigningKey) -> dict:
    """Publishes keys in a folder; what `global.authorization` says of a server that trusts them."""
    publish(folder / "keys.json", *keys)
    return {
        "authorizer": "default",
        "jwtKeyProvider": {"keySourceURIs": [f"file://{folder}/keys.json"]},
        "audience": AUDIENCE,
        "issuers": [ISSUER],
    }


def _bytes(*words: str) -> bytes:
    return subprocess.run(["openssl", *words], capture_output=True, check=True, timeout=60).stdout


def _raw(der: bytes) -> bytes:
    """The two numbers of an ECDSA signature, one after the other."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        number = int.from_bytes(der[at + 2 : at + 2 + length], "big")
        numbers.append(number.to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)
