"""What the equipment can do: one law per device, network and market, in Pyomo; `laws.py` says each in words. This file imports no Pyomo."""
