"""The supervisor: the process, its environment, and the life of every listener from plan to drain."""
