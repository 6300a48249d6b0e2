"""What every table of the file has in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from daemon.config.credentials import Vault


class Table(BaseModel):
    """One table of the file: frozen, and deaf to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Keeper(Table):
    """A table with a secret named by `<stem>_env` or `<stem>_file`; reads it only while a whole file is loaded.

    Made by hand, without a vault, it keeps none.
    """

    stem: ClassVar[str]
    _secret: SecretStr | None = PrivateAttr(default=None)

    def model_post_init(self, context: object, /) -> None:
        """Take the secret out of the vault that comes with a file."""
        env, file = getattr(self, f"{self.stem}_env"), getattr(self, f"{self.stem}_file")
        if isinstance(context, Vault) and (env or file):
            self._secret = context.take(env, file)
