"""What the tests share: starting real servers, raw sockets, files. Imported as ``support``."""
