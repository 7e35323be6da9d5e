"""How close a picture is to another, by the papers' protocol."""
