"""One file per device: its rows, its inputs, its injection into the bus, its cost by term."""
