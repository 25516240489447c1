"""The application's side: scopes, the request cycle, lifespan. It knows no HTTP version."""

from asgid.daemon.asgi.gateway import ASGIGateway

__all__ = ["ASGIGateway"]
