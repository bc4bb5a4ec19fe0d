import pytest

from pulse_widgets.collectors.cells import _telling_line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", ""),
        ("train()\nmore()", "train()"),
        ("# a remark\n\n  train(1)  # now", "train(1)  # now"),
        ("\n# nothing but\n# remarks", "# nothing but"),
        ("%%time\ntrain()", "%%time"),
    ],
)
def test_a_cell_is_told_by_its_first_line_that_does_something(source, line):
    assert _telling_line(source) == line
