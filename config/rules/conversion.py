"""95x: what ``asgid convert`` finds in another server's command line."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class ConvertRefused(
    Rule, code=codes.CONVERT_REFUSED, severity="error", title="a command line that cannot be a file"
):
    """## What it does
    Finds settings that must not be left out without being asked for (client certificates that are required),
    and values that no file takes, a multicast address for example. No file is written.

    ## Why is this bad
    A file without them would let in who was kept out, or would not start.

    ## Example
    ```sh
    asgid convert -- uvicorn --ssl-certfile site.pem --ssl-cert-reqs 2 --ssl-ca-certs clients.pem mysite:app
    ```

    ## Use instead
    ```sh
    asgid convert -- uvicorn --ssl-certfile site.pem mysite:app
    ```
    """


class ConvertLost(
    Rule, code=codes.CONVERT_LOST, severity="warning", title="a setting that asgid does not have"
):
    """## What it does
    Names what the other server was told and asgid cannot be told, with what does the same elsewhere.

    ## Why is this bad
    The service behaves in another way afterwards.

    ## Example
    ```sh
    asgid convert -- uvicorn --limit-max-requests 1000 mysite.asgi:application
    ```

    ## Use instead
    What the finding's help says: here `MemoryMax=` and `RuntimeMaxSec=` in the unit.
    """


class ConvertDiffers(
    Rule,
    code=codes.CONVERT_DIFFERS,
    severity="warning",
    weaker=("info",),
    title="a setting that asgid takes in another way",
):
    """## What it does
    Names what converts to a key that does not do quite the same. The key has a comment in the file. It is an
    info where most will never notice.

    ## Why is this bad
    Somebody has to decide: whose forwarded headers are believed, for example.

    ## Example
    ```sh
    asgid convert -- daphne --proxy-headers mysite.asgi:application
    ```

    ## Use instead
    Read the comment, set the key, delete the comment.
    """


class ConvertLater(
    Rule,
    code=codes.CONVERT_LATER,
    severity="warning",
    weaker=("info",),
    title="a setting whose key is not available yet",
):
    """## What it does
    Names what the language has a key for and this version does not do. It stands in the file as a comment. It
    is an info where the unit says the same.

    ## Why is this bad
    The service behaves in another way until then.

    ## Example
    ```sh
    asgid convert -- uvicorn --workers 4 mysite.asgi:application
    ```

    ## Use instead
    ```sh
    asgid convert -- uvicorn mysite.asgi:application
    ```
    """


class ConvertNotRead(
    Rule,
    code=codes.CONVERT_NOT_READ,
    severity="warning",
    weaker=("info",),
    title="a setting that is known only where it runs",
):
    """## What it does
    Finds values that a configuration file computes, variables that nothing sets, systemd's specifiers that
    the host knows. They are left out, or stay as they are. It is an info where nothing may depend on it.

    ## Why is this bad
    A conversion runs nothing.

    ## Example
    ```python
    workers = multiprocessing.cpu_count() * 2 + 1
    ```

    ## Use instead
    ```python
    workers = 4
    ```
    """


class ConvertLeftOut(
    Rule, code=codes.CONVERT_LEFT_OUT, severity="info", title="a setting that nothing is needed for"
):
    """## What it does
    Names what is left out because asgid needs no such setting: reloading for development, the choice of an
    event loop.

    ## Why is this bad
    It is not. It is said so that nothing is left out silently.

    ## Example
    ```sh
    asgid convert -- uvicorn --reload --loop uvloop mysite.asgi:application
    ```

    ## Use instead
    ```sh
    asgid convert -- uvicorn mysite.asgi:application
    ```
    """
