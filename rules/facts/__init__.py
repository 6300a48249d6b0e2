"""What a rule may speak of: the catalogue of facts, and how each is computed from a register."""
