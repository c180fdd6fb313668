"""How long a refused sign-in takes, for names that are there and names that are not: `python scripts/bench/sign_in.py`.

Through the real application with the hashes that the settings ask for by default. Prints medians in milliseconds, and fails
(exit code 1) when they are more than 10 ms apart: whoever measures longer than that could tell who has an account.
Counted tries are wiped between the measurements: what is measured is the answer, not the lock-out.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import delete

from kb import accounts, config
from kb.config import Settings
from kb.model import Actor
from kb.store.db import open_database, writing
from kb.store.tables import guesses
from kb.web import create_app

MOST_MS = 10.0
PASSWORD = "青溪河边的第三棵柳树"  # noqa: S105  nobody's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=250, help="of each kind (250)")
    parser.add_argument("--people", type=int, default=20, help="accounts (20)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder) / "data", log_level="ERROR", sign_ins_per_minute=1_000_000)
        config.prepare_data(settings)
        known = people(settings, options.people)
        taken = measure(settings, known, options.tries)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    for kind, times in taken.items():
        low, high = (statistics.quantiles(times, n=10)[place] for place in (0, 8))
        print(
            f"{kind:8} median {medians[kind]:7.1f} ms   p10 {low:7.1f}   p90 {high:7.1f}   ({len(times)} tries)"
        )
    apart = abs(medians["known"] - medians["unknown"])
    print(f"apart    {apart:.1f} ms (at most {MOST_MS:.0f})")
    sys.exit(apart > MOST_MS)


def people(settings: Settings, count: int) -> list[str]:
    """Names of accounts that there are from now on."""
    names = [f"person{number:04}" for number in range(count)]
    for name in names:
        with writing(open_database(settings.database)) as connection:
            who = Actor("cli:bench")
            given = {"full_name": "测速", "role": "reader", "password": PASSWORD}
            accounts.add_user(connection, who, settings, name=name, **given)
    return names


def measure(settings: Settings, known: list[str], tries: int) -> dict[str, list[float]]:
    """Milliseconds of each refused sign-in; one of each kind after the other, in random order: both meet the same noise."""
    app = create_app(settings)
    database = open_database(settings.database)
    client = app.test_client()
    picked = random.Random(0)  # noqa: S311  no secret
    kinds = [kind for _ in range(tries) for kind in picked.sample(("known", "unknown"), 2)]
    taken: dict[str, list[float]] = {"known": [], "unknown": []}
    for kind in ["known", "unknown", *kinds]:
        name = picked.choice(known)
        taken[kind].append(refused(client, name if kind == "known" else name.replace("person", "nobody")))
        with writing(database) as connection:
            connection.execute(delete(guesses))
    return {kind: times[1:] for kind, times in taken.items()}


def refused(client: FlaskClient, name: str) -> float:
    form = client.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    sent = {"csrf_token": token[1] if token else "", "name": name, "password": "不是这一个密码"}
    started = time.perf_counter()
    answer = client.post("/login", data=sent)
    took = (time.perf_counter() - started) * 1000
    if answer.status_code != 401:
        raise SystemExit(f"{answer.status_code} for {name}")
    return took


if __name__ == "__main__":
    main()
