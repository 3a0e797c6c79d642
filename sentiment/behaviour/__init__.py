"""How a classifier behaves on generated cases, capability by capability, and training examples of the same kinds."""
