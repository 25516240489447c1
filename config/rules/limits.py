"""7xx: limits and timeouts that contradict each other."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class TimeoutAboveDrain(
    Rule, code=codes.TIMEOUT_ABOVE_DRAIN, severity="warning", title="a timeout above the drain"
):
    """## What it does
    Compares `request_body`, `response_write` and `application` with `drain`, where the file sets both. Zero
    is no limit, and for `drain` the wish to cut at once: neither is compared.

    ## Why is this bad
    At a stop or a restart every request is cut after `drain`, also one that its own timeout would have let go
    on.

    ## Example
    ```toml
    [timeouts]
    request_body = "60s"
    drain = "30s"
    ```

    ## Use instead
    ```toml
    [timeouts]
    request_body = "60s"
    drain = "60s"
    ```
    """


class FrameAboveMessage(
    Rule,
    code=codes.FRAME_ABOVE_MESSAGE,
    severity="warning",
    title="a frame limit above the message limit",
):
    """## What it does
    Compares `frame_size` with `message_size`, where the file sets both.

    ## Why is this bad
    A message has one frame at least, so that no frame as long as `frame_size` is ever taken.

    ## Example
    ```toml
    [websocket]
    frame_size = "2MiB"
    message_size = "1MiB"
    ```

    ## Use instead
    ```toml
    [websocket]
    frame_size = "1MiB"
    message_size = "1MiB"
    ```
    """


class PingTimeoutWithoutPings(
    Rule,
    code=codes.PING_TIMEOUT_WITHOUT_PINGS,
    severity="warning",
    title="a ping timeout without pings",
):
    """## What it does
    Finds `ping_timeout` beside `ping_interval = 0`.

    ## Why is this bad
    No ping is sent, so that none can stay without an answer: a connection whose client has gone stays.

    ## Example
    ```toml
    [websocket]
    ping_interval = 0
    ping_timeout = "20s"
    ```

    ## Use instead
    ```toml
    [websocket]
    ping_interval = "20s"
    ping_timeout = "20s"
    ```
    """


class ThresholdWithoutCompression(
    Rule,
    code=codes.THRESHOLD_WITHOUT_COMPRESSION,
    severity="warning",
    title="a compression threshold without compression",
):
    """## What it does
    Finds `compression_threshold` beside `compression = false`.

    ## Why is this bad
    No message is compressed, of whatever length.

    ## Example
    ```toml
    [websocket]
    compression = false
    compression_threshold = "4KiB"
    ```

    ## Use instead
    ```toml
    [websocket]
    compression = true
    compression_threshold = "4KiB"
    ```
    """


class PingsBeyondLifetime(
    Rule,
    code=codes.PINGS_BEYOND_LIFETIME,
    severity="warning",
    title="a ping interval above the lifetime",
):
    """## What it does
    Compares `ping_interval` with `lifetime`, where the file sets both.

    ## Why is this bad
    No connection lives long enough for a ping.

    ## Example
    ```toml
    [websocket]
    ping_interval = "2m"
    lifetime = "1m"
    ```

    ## Use instead
    ```toml
    [websocket]
    ping_interval = "20s"
    lifetime = "1m"
    ```
    """


class ConcurrencyAboveConnections(
    Rule,
    code=codes.CONCURRENCY_ABOVE_CONNECTIONS,
    severity="warning",
    title="more requests at once than connections",
):
    """## What it does
    Compares `concurrency` with `connections`, where the file sets both.

    ## Why is this bad
    A connection has one request at a time, so that the limit is never reached.

    ## Example
    ```toml
    [limits]
    connections = 100
    concurrency = 200
    ```

    ## Use instead
    ```toml
    [limits]
    connections = 100
    concurrency = 20
    ```
    """
