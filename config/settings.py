"""Every setting of a listener, and where its value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from asgid.config import models
from asgid.config.keys import LISTENER, OVERRIDING, every_key, written
from asgid.config.resolve import kind_of
from asgid.config.shape import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asgid.config.loading import Config
    from asgid.config.places import Place
    from asgid.config.scan import Key

Source = Literal["default", "server-wide", "listener"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``key`` is dotted, in its listener; ``value`` is as a file writes it, empty for none.

    ``place`` is where the value stands; None for a default.
    """

    key: str
    value: str
    source: Source
    place: Place | None


def settings(config: Config, name: str) -> tuple[Setting, ...]:
    """Return the settings of the listener ``name``, but for where it listens; those that do something."""
    return (*_own(config, name), *_merged(config, name))


def _own(config: Config, name: str) -> Iterator[Setting]:
    listener = config.tables.listeners[name]
    way = kind_of(listener)
    for key in every_key():
        if key.table != LISTENER or not key.available or key.name in {*WAYS, "port"}:
            continue
        if key.ways and way not in key.ways:
            continue
        if key.name == "root_path":
            yield _root_path(config, name)
        elif (
            key.name == "backlog" and way in {"systemd", "fd"} and "backlog" not in listener.model_fields_set
        ):
            yield Setting("backlog", "", "default", None)  # what the socket has is left alone
        else:
            places = [(listener, ("listeners", name, key.name), "listener")]
            yield _setting(config, key.name, models.Listener, places)


def _root_path(config: Config, name: str) -> Setting:
    listener = config.tables.listeners[name]
    places: list[Any] = [(config.tables.application, ("application", "root_path"), "server-wide")]
    if listener.root_path is not None:
        places = [(listener, ("listeners", name, "root_path"), "listener")]
    return _setting(config, "root_path", models.Application, places)


def _merged(config: Config, name: str) -> Iterator[Setting]:
    """Yield what may be said for all listeners, and for one."""
    listener = config.tables.listeners[name]
    for key in every_key():
        if key.table in OVERRIDING and key.available:
            own = getattr(listener, key.table)
            places = [
                (own, ("listeners", name, key.table, key.name), "listener"),
                (getattr(config.tables, key.table), (key.table, key.name), "server-wide"),
            ]
            model = type(getattr(config.tables, key.table))
            yield _setting(config, key.name, model, places, f"{key.table}.")


def _setting(config: Config, name: str, model: Any, places: list[Any], prefix: str = "") -> Setting:
    """Return a setting from the first of ``places`` that says it, else its default."""
    info = model.model_fields[name]
    for table, at, source in places:
        if table is not None and name in table.model_fields_set:
            key: Key = at
            text = written(info, getattr(table, name))
            return Setting(f"{prefix}{name}", text, source, config.document.place(key))
    return Setting(f"{prefix}{name}", written(info, info.default), "default", None)
