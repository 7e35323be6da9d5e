"""What people and programs see: the console, streams, pages."""
