"""From another server's command line, or a systemd unit that starts it, to the file that says the same.

The words become settings by name (:mod:`.options`, and :mod:`.daphne` to :mod:`.gunicorn`, a table of options
for each server), the settings become a :class:`~.draft.Draft` of values, comments and findings, and the draft
becomes TOML (:mod:`.text`). Nothing is run, imported or resolved: what a server reads (its own configuration
file, an environment file) is read, and the rest of the host is left alone.
"""
