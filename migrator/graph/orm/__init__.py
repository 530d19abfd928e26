"""How SQLAlchemy programs declare and use their mapping: what its plug-in is made of."""
