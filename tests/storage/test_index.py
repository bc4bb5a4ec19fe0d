"""What a file says of its series can always be read back."""

from pulse_widgets.series.columns import SeriesKey
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.storage import untrusted
from pulse_widgets.storage.index import Catalog


def test_labels_that_are_too_many_are_left_out_and_said_and_units_stay(monkeypatch):
    monkeypatch.setattr(untrusted, "MOST_VALUES", 10_000)
    labels = {f"label {k}": str(k) for k in range(16)}
    count = 1000
    keys = [SeriesKey("h0", f"gpu:{k}", "m") for k in range(count)]
    catalog = Catalog()
    catalog.add(
        SeriesInfo(-1, *key, "W" if k else "B", "gauge", labels) for k, key in enumerate(keys)
    )

    read = Catalog.decode(catalog.encode(keys).encode(), keys)

    assert read.left_out == "labels"
    assert [read.infos[key].unit for key in keys[:3]] == ["B", "W", "W"]
    assert read.infos[keys[-1]].unit == "W"


def test_labels_that_fit_stay():
    keys = [SeriesKey("h0", "gpu:0", "m")]
    catalog = Catalog()
    catalog.add([SeriesInfo(-1, *keys[0], "W", "gauge", {"a": "b, c, d"})])

    read = Catalog.decode(catalog.encode(keys).encode(), keys)

    assert (read.left_out, read.infos[keys[0]].labels) == ("", {"a": "b, c, d"})
