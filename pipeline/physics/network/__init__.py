"""Networks: they receive injections per bus and carrier, and never see a device."""
