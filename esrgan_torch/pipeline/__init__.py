"""Reading, computing and writing beside one another, a few pieces of work at once."""
