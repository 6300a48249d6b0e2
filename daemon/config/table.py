"""What every table of the file has in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from daemon.config.credentials import Vault


class Table(BaseModel):
    """One table of the file: frozen, and deaf to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Keeper(Table):
    """A table with secrets, each named by `<stem>_env` or `<stem>_file`; reads them only while a whole file is loaded.

    Made by hand, without a vault, it keeps none.
    """

    stems: ClassVar[tuple[str, ...]]
    _secrets: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: object, /) -> None:
        """Take the secrets out of the vault that comes with a file."""
        for stem in self.stems if isinstance(context, Vault) else ():
            env, file = getattr(self, f"{stem}_env"), getattr(self, f"{stem}_file")
            if isinstance(context, Vault) and (env or file):
                self._secrets[stem] = context.take(env, file)

    def kept(self, stem: str) -> SecretStr | None:
        """The secret named by `<stem>_env` or `<stem>_file`, if one is."""
        return self._secrets.get(stem)
