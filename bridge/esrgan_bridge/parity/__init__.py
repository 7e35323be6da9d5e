"""How far each copy is from the original, recorded and shown."""
