"""A small application and a configuration to try asgid with: ``listeners.toml`` stands beside this file."""
