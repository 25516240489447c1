"""0xx: the text of the file."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class Unreadable(
    Rule, code=codes.UNREADABLE, severity="error", title="the file is missing or cannot be read"
):
    """## What it does
    Says why a file could not be read at all: it is not there, it is a directory, or whoever runs asgid may
    not read it.

    ## Why is this bad
    Nothing is known of what should be served. `asgid lint` ends with status 2, the daemon with 78.

    ## Example
    ```console
    $ asgid --config /etc/asgid/listener.toml
    ```

    ## Use instead
    ```console
    $ asgid --config /etc/asgid/listeners.toml
    ```
    """


class NotUtf8(Rule, code=codes.NOT_UTF8, severity="error", title="the file is not UTF-8"):
    """## What it does
    Points at the first byte that is not UTF-8, which is what TOML is written in. A byte order mark is
    allowed.

    ## Why is this bad
    Bytes of another encoding would be read as other characters: in a path, that is another file.

    ## Example
    A file saved as Latin-1 or UTF-16, as editors on other systems do.

    ## Use instead
    The same file saved as UTF-8: `iconv -f latin1 -t utf-8 listeners.toml`.
    """


class Syntax(Rule, code=codes.SYNTAX, severity="error", title="the file is not TOML"):
    """## What it does
    Points at the first place where the file stops being TOML 1.0: at the quote of a string that is not
    closed, at the second of two tables of the same name, at a word that should be in quotes. The tables that
    are whole are checked all the same.

    ## Why is this bad
    What was meant can only be guessed, and a server should not.

    ## Example
    ```toml
    [listeners.main]
    address = 127.0.0.1
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """
