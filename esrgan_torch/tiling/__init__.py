"""How a picture is cut, computed piece by piece and joined."""
