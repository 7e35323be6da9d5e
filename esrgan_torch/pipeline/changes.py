"""What threads wait for, where Ctrl-C may come at any moment."""

import threading
from contextlib import suppress


class Changes(threading.Condition):
    """A condition whose lock is given back after Ctrl-C too.

    Python raises it between the taking of the lock and the block that gives it back, too. That thread goes on
    with its cleaning up, which nothing stops, since it may take the lock once more; all others wait for ever.
    So what the main thread ends with calls `let_go` first.
    """

    def let_go(self) -> None:
        """Give the lock back where this thread still holds it; not inside its block."""
        with suppress(RuntimeError):  # it is not this thread's any more
            while True:
                self.release()
