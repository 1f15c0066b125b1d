"""Records histories of a real server, as the engine's law on old histories reads them."""
