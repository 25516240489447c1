"""What is said about what happens: the logs and the access log."""
