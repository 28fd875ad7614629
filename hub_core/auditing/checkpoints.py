"""Signed checkpoints outside the database: how long each chain was, so that cutting off its end is seen.

A file of one line a checkpoint, only ever appended to; each line holds the digest of the line before and an Ed25519
signature (RFC 8032). Copy it to another machine: whoever controls this one can forget the last lines, but not those
that lie elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub_core.auditing.chain import Head
from hub_core.clock import instant
from hub_core.errors import WholechartError

FILE = "audit-checkpoints.jsonl"


class CheckpointError(WholechartError):
    """The file of checkpoints was changed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a chain stood at a moment."""

    at: str
    head: Head


def append(path: Path, seed: bytes, heads: Iterable[Head], moment: datetime) -> int:
    """Append a checkpoint for each chain that has grown since its last one, and return how many.

    Raises:
        CheckpointError: if the file was changed.
    """
    known = {each.head.shard: each.head.number for each in read(path, seed)}
    before = hashlib.sha256(_last_line(path)).hexdigest()
    lines: list[bytes] = []
    for head in heads:
        if known.get(head.shard, 0) < head.number:
            said = {"at": instant(moment), "shard": head.shard, "number": head.number, "digest": head.digest.hex()}
            line = _signed(seed, {**said, "before": before})
            before = hashlib.sha256(line).hexdigest()
            lines.append(line)
    if lines:
        _append(path, lines)
    return len(lines)


def read(path: Path, seed: bytes) -> Iterator[Checkpoint]:
    """Yield the checkpoints of a file, oldest first.

    Raises:
        CheckpointError: at the first line that is not as it was signed, or does not follow the one before.
    """
    if not path.exists():
        return
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    before = hashlib.sha256(b"").hexdigest()
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            said = json.loads(line)
            signature = bytes.fromhex(said.pop("signature"))
            public.verify(signature, _canonical(said))
            if said["before"] != before:
                raise CheckpointError(f"{path.name}: line {number} does not follow the one before")
            head = Head(said["shard"], int(said["number"]), bytes.fromhex(said["digest"]))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise CheckpointError(f"{path.name}: line {number} is not as it was signed") from error
        before = hashlib.sha256(line).hexdigest()
        yield Checkpoint(str(said["at"]), head)


def _signed(seed: bytes, said: dict[str, Any]) -> bytes:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_canonical(said))
    return _canonical({**said, "signature": signature.hex()})


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _last_line(path: Path) -> bytes:
    lines = path.read_bytes().splitlines() if path.exists() else []
    return lines[-1] if lines else b""


def _append(path: Path, lines: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
