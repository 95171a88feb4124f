"""How a training advances: one loop, and what it stands on."""
