"""Small sys trees, as the kernel lays them out."""

from __future__ import annotations


def block_tree(root, below):
    """Make ``/sys/block`` with devices and what each is made of."""
    for name, slaves in below.items():
        folder = root / "block" / name / "slaves"
        folder.mkdir(parents=True)
        for slave in slaves:
            (folder / slave).touch()


def net_tree(root, interfaces):
    """Make ``/sys/class/net`` from words: ``device``, ``>eth0`` (above it), ``master=br0``,
    ``type=32``, ``port=p0``, ..."""
    for name, words in interfaces.items():
        folder = root / "class" / "net" / name
        folder.mkdir(parents=True)
        (folder / "type").write_text("1\n")
        for word in words.split():
            key, _, value = word.partition("=")
            if word.startswith(">"):
                (folder / f"lower_{word[1:]}").symlink_to(f"../{word[1:]}")
            elif key == "master":
                (folder / "master").symlink_to(f"../{value}")
            elif key == "type":
                (folder / "type").write_text(value + "\n")
            elif key == "port":
                (folder / "phys_port_name").write_text(value + "\n")
            elif key in {"parent", "tun_flags"}:
                (folder / key).write_text("x\n")
            else:
                (folder / key).mkdir()
