"""Training of the models that ship with mediaguard, and of adapters on top of them."""
