"""The code of the how-to pages runs as it stands there, with stand-ins for what is the reader's own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"

LOOP = """
import math

class Loss(float):
    backward = item = lambda self: float(self)

class Model:
    seen = 0
    def loss(self, batch):
        self.seen += 1
        return Loss(math.exp(-self.seen / 100))

class Optimizer:
    param_groups = [{"lr": 3e-4}]
    step = zero_grad = lambda self: None

model, optimizer, train_loader, val_loader = Model(), Optimizer(), range(20), range(5)
"""

TRAINED = """
print(sorted(set(rec.select(entity="user").series["metric"])))
print(len(rec.select("train/loss").values()[1]), rec.select("lr").values()[1][-1], rec.config["lr"])
ended = rec.select("span").to_pandas().dropna(subset="value")
print(len(ended), rec.select("progress", entity="kernel/bar:validate").values()[1][-1])
"""

ALERTS = """
import time
class Trainer:
    should_stop = False
my_trainer = Trainer()
"""
LOGGED = 'pw.log({"train/loss": 6.0})'
FIRED = 'print("recorded:", *rec.events.query("kind == \'alert\'")["message"])'


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def run(code, home):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PULSE_HOME": str(home), "PATH": "", "PYTHONPATH": str(DOCS.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_the_training_loop_records_what_the_page_says(tmp_path):
    told = run("\n".join([LOOP, *blocks("how-to-training-loop.md"), TRAINED]), tmp_path)

    assert told == [
        "['epoch', 'lr', 'train/loss', 'val/loss']",
        "200 0.0003 0.0003",
        "20 1.0",
    ]


@pytest.mark.slow
def test_the_alerts_of_the_page_fire_and_are_read_back(tmp_path):
    first, second, last = blocks("how-to-alerts.md")

    told = run(f"{ALERTS}\n{first}\n{LOGGED}\n{second}\n{last}\n{FIRED}", tmp_path)

    assert "recorded: train/loss is 6, above 5" in told
