"""`init`: a new folder with a configuration to edit, a key, and the manual that came with this version."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import click

from daemon.cli.database import write_key
from daemon.cli.faults import refuse
from daemon.cli.language import worded
from daemon.cli.shared import called_as

EXAMPLE = "config.example.toml"
MANUAL = "manual"
KEY = "baoxue.key"
_SHARE = "share/baoxue/"
_CHECKOUT = Path(__file__).parents[2]
_IN_A_CHECKOUT = (
    *("README*.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *(EXAMPLE, "requirements.lock", "requirements-pdf.lock", "deploy/**/*", "docs/*.md", "rules/packs/**/*.toml"),
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make FOLDER with a config.toml to edit, a key, an inbox for tables, and the manual with the systemd files.

    The configuration is the example in shadow mode: everything is decided and recorded, and only the operator is told.
    """
    config = folder / "config.toml"
    if config.exists():
        raise refuse(str(config), "is there already, and is not overwritten", "name a folder without one")
    carried = carried_files()
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    for name, source in carried.items():
        target = folder / MANUAL / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    write_key(folder / KEY)
    config.touch(mode=0o640)
    config.write_text(_begun(carried[EXAMPLE].read_text(encoding="utf-8")), encoding="utf-8")
    for line in _next_steps(config):
        click.echo(line)


def _begun(example: str) -> str:
    """Give the example its key, and shadow mode."""
    for shown, begun in (('mode = "live"', 'mode = "shadow"'), (f'#key_file = "{KEY}"', f'key_file = "{KEY}"')):
        assert example.count(f"\n{shown}\n") == 1
        example = example.replace(f"\n{shown}\n", f"\n{begun}\n")
    return example


def carried_files() -> dict[str, Path]:
    """Find the files that come with this version: their names as in the repository, and where they lie.

    Refusal when they were left out of the installation.
    """
    # An editable installation keeps the files of the day it was made; those of the checkout are newer.
    found = _checked_out() if (_CHECKOUT / EXAMPLE).is_file() else _installed()
    if EXAMPLE not in found:
        raise refuse("init", f"finds no {EXAMPLE} in this installation", "install baoxue from its wheel", code=1)
    return found


def _installed() -> dict[str, Path]:
    """Find what the wheel brought along."""
    try:
        listed = metadata.files("baoxue") or []
    except metadata.PackageNotFoundError:
        return {}
    names = {one: one.as_posix().partition(_SHARE)[2] for one in listed}
    return {name: Path(str(one.locate())) for one, name in names.items() if name}


def _checked_out() -> dict[str, Path]:
    files = (path for pattern in _IN_A_CHECKOUT for path in sorted(_CHECKOUT.glob(pattern)) if path.is_file())
    return {path.relative_to(_CHECKOUT).as_posix(): path for path in files}


def _next_steps(config: Path) -> list[str]:
    command = f"{called_as()} --config {config}"
    return [
        f"{worded('已新建', 'made')}: {config}",
        f"{worded('说明', 'the manual')}: {config.parent / MANUAL / 'README.zh.md'} · README.md · deploy/README.md",
        worded("接下来", "next steps"),
        f"  {worded('另存密钥', 'keep a copy')}  {config.parent / KEY}",
        f"  {worded('编辑    ', 'edit       ')}  {config}",
        f"  {worded('放入表格', 'put tables ')}  {config.parent / 'inbox'}",
        f"  {worded('检查    ', 'check      ')}  {command} check",
        f"  {worded('模拟    ', 'simulate   ')}  {command} simulate --from 2026-03-02 --to 2026-07-10",
    ]
