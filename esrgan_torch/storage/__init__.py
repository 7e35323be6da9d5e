"""Files that are whole or not there: written beside, renamed, swapped; what killed runs leave."""
