"""Metrics and entities, and what they are called, which the kernel and the browser must say alike.

``python -m tests.exchange.names`` writes anew what they are called; look at what has changed.
"""

import json
from pathlib import Path

from pulse_widgets.exchange.picture.chart import entity_label
from pulse_widgets.exchange.picture.owners import Owners
from pulse_widgets.metrics.entities import is_gpu, owner_key
from pulse_widgets.metrics.headings import heading_of, title_of

FILE = Path(__file__).parents[1] / "data" / "names.json"


def metric(name, entity, labels):
    """A metric of an entity, the heading it stands under and its title."""
    return [name, entity, labels, heading_of(name, entity, labels), title_of(name, entity, labels)]


def entity(name, labels):
    """An entity, what people call it, and whether it is a whole GPU."""
    return [name, labels, entity_label(name, labels), is_gpu(name)]


def owner(entities, hosts, series):
    """What is known of some machines, a thing of one of them, and what that is called."""
    names = Owners(
        [dict(zip(("host", "entity", "labels"), one, strict=True)) for one in entities], hosts
    )
    return [entities, hosts, series, names.label(*series)]


if __name__ == "__main__":
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    parts = {
        "metrics": [metric(*one[:3]) for one in kept["metrics"]],
        "entities": [entity(*one[:2]) for one in kept["entities"]],
        "owners": [owner(*one[:3]) for one in kept["owners"]],
        "order": sorted(kept["order"], key=lambda one: owner_key(*one)),
    }
    texts = (
        f"{json.dumps(name)}: [\n"
        + ",\n".join(json.dumps(one, ensure_ascii=False) for one in some)
        + "\n]"
        for name, some in parts.items()
    )
    FILE.write_text("{" + ",\n".join(texts) + "}\n", encoding="utf-8")
