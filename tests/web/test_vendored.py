from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "vendor"


def test_every_vendored_file_is_the_one_that_was_taken() -> None:
    told = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.suffix != ".toml"
    }

    assert found == {name: entry["sha256"] for name, entry in told.items()}
    assert all(entry["version"] and entry["licence"] for entry in told.values())
