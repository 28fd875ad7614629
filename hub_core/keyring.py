"""Encryption of what is kept at rest, and keyed tokens for identifiers too dangerous to keep in clear.

Bodies are compressed by a dictionary of what messages say, then sealed with AES-256-GCM; the first byte names the key,
so that keys can rotate while what an older key sealed stays readable. Keys are files `<number>.key` in a folder only
its owner may read; the highest number seals. The token key never rotates, because a token must stay equal to find the
same number again; nor do the keys of the audit trail's chain and checkpoints, which speak for what is old.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub_core.compression import compression
from hub_core.errors import ConfigurationError, DamagedError

_NONCE = 12
_DEFLATED = b"\x78"
"""How a zlib stream begins, which was sealed before there was a dictionary; a Zstandard frame never does."""
_TOKEN_KEY = "token.key"  # noqa: S105 - a file name
_AUDIT_KEYS = ("audit.key", "checkpoint.key")


class Keyring:
    """The keys of one installation."""

    def __init__(self, folder: Path) -> None:
        """Open the keys in `folder`, making the first ones where there are none."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not list(folder.glob("[0-9]*.key")):
            _write_key(folder / "1.key")
        for name in (_TOKEN_KEY, *_AUDIT_KEYS):
            if not (folder / name).exists():
                _write_key(folder / name)
        self._keys = {int(path.stem): AESGCM(_read_key(path)) for path in folder.glob("[0-9]*.key")}
        self._current = max(self._keys)
        self._compression = compression("hub_core", "sealed_1.zdict")
        self._token_key = _read_key(folder / _TOKEN_KEY)
        self.chain_key, self.checkpoint_seed = (_read_key(folder / name) for name in _AUDIT_KEYS)

    def seal(self, body: bytes) -> bytes:
        """Return `body` compressed and encrypted under the current key."""
        nonce = os.urandom(_NONCE)
        compressed = self._compression.compress(body)
        return bytes([self._current]) + nonce + self._keys[self._current].encrypt(nonce, compressed, None)

    def unseal(self, sealed: bytes) -> bytes:
        """Return what `seal` was given.

        Raises:
            ConfigurationError: if the key is missing.
            DamagedError: if the bytes are not what was sealed.
        """
        key = self._keys.get(sealed[0])
        if key is None:
            raise ConfigurationError(f"key {sealed[0]} is not in the keys folder; restore it from your backup")
        try:
            compressed = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], None)
        except InvalidTag as error:
            raise DamagedError("stored bytes were changed, or sealed under another key") from error
        return zlib.decompress(compressed) if compressed[:1] == _DEFLATED else self._compression.decompress(compressed)

    def token(self, number: str) -> str:
        """Return a stable, irreversible stand-in for an identifier such as a social security number."""
        digits = "".join(character for character in number if character.isalnum()).upper()
        return hmac.new(self._token_key, digits.encode(), hashlib.sha256).hexdigest()[:32]


def _write_key(path: Path) -> None:
    """Create a key file whole or not at all; of two processes that try, the first one's key stays."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != 32:
        raise ConfigurationError(f"{path.name} in the keys folder is damaged: a key has 32 bytes")
    return key
