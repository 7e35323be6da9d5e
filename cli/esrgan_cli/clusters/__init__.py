"""The same work on several machines: pictures by address, shared out among workers."""
