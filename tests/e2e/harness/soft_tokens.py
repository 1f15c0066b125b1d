"""Tokens that SoftHSM makes, with keys that OpenSC's `pkcs11-tool` makes in them."""

import os
import subprocess
from pathlib import Path

PIN = "canary-pin-58164"
"""The PIN of every token; nobody may find it anywhere."""


def written_pin(folder: Path) -> Path:
    """The file with the PIN."""
    path = folder / "pin"
    path.write_text(f"{PIN}\n")
    return path


class SoftTokens:
    """A folder of tokens, which a process sees that has `variables` in its environment."""

    def __init__(self, folder: Path) -> None:
        tokens, configuration = folder / "tokens", folder / "softhsm2.conf"
        tokens.mkdir(parents=True)
        configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
        self.variables = {"SOFTHSM2_CONF": str(configuration)}
        self.module = next(
            str(path)
            for folder in ("/usr/lib", "/usr/local/lib", "/usr/lib64")
            for path in sorted(Path(folder).glob("**/libsofthsm2.so"))
        )

    def make_token(self, label: str) -> None:
        """A token with a PIN."""
        words = ("--init-token", "--free", "--label", label, "--so-pin", "so-pin", "--pin", PIN)
        self._run("softhsm2-util", *words)

    def make_key(self, token: str, label: str, size: int = 32) -> None:
        """An AES key that never leaves its token."""
        self._tool(token, "--keygen", "--key-type", f"AES:{size}", "--label", label, "--sensitive")

    def delete_key(self, token: str, label: str) -> None:
        self._tool(token, "--delete-object", "--type", "secrkey", "--label", label)

    def setting(self, pin: Path, name: str, **place: object) -> dict:
        """A key as servers are told of it; parts of its place that are None are left out."""
        place = {"module": self.module, "pin_file": str(pin)} | place
        return {"id": name, "pkcs11": {name: it for name, it in place.items() if it is not None}}

    def _tool(self, token: str, *words: str) -> None:
        where = ("--module", self.module, "--token-label", token, "--login", "--pin", PIN)
        self._run("pkcs11-tool", *where, *words)

    def _run(self, *words: str) -> None:
        done = subprocess.run(
            words, env=os.environ | self.variables, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
