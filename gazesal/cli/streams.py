"""Standard output and error that may be closed or full without ending the work."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import click

__all__ = ["Commands", "SteadyStream"]

CLOSED = 141  # 128 + SIGPIPE: what shells report of a program whose reader has left


class SteadyStream:
    """A text stream that drops what cannot be written, and keeps the first error.

    Printing is the last thing that may fail: an evaluation of hours must not end because `head`
    has read enough, or a log file fills the disk.

    Parameters
    ----------
    stream : text stream
        Where the text goes to.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write text; letters that the stream's encoding lacks become escapes."""
        if self.error is None:
            try:
                try:
                    self._stream.write(text)
                except UnicodeEncodeError:
                    encoding = self._stream.encoding
                    self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        self.error = error
        # What is still buffered would fail again, with a message of the interpreter, on exit.
        with ExitStack() as stack:
            try:
                number = self._stream.fileno()
            except (OSError, ValueError, AttributeError):  # not a file, as in tests
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, number)


@contextmanager
def steady_streams() -> Iterator[None]:
    """Let the work of the block end whatever becomes of its output, and report that after it.

    The exit status is 141 if the reader of the output has left, and 1, with one line on standard
    error, if the output cannot be written for another reason. An error of the work itself goes
    before.
    """
    out, err = SteadyStream(sys.stdout), SteadyStream(sys.stderr)
    status: object = 0
    with ExitStack() as stack:
        # a process without a stream, as under `>&-`, has None here, and click prints nothing
        if sys.stdout is not None:
            stack.enter_context(redirect_stdout(out))
        if sys.stderr is not None:
            stack.enter_context(redirect_stderr(err))
        try:
            yield
        except SystemExit as ended:
            status = ended.code
            if status not in {None, 0} or out.error is None:
                raise
        finally:
            if sys.stdout is not None:
                out.flush()
            if sys.stderr is not None:
                err.flush()
        if out.error is None:
            return
        if out.error.errno == errno.EPIPE:
            raise SystemExit(CLOSED)
        what = out.error.strerror or str(out.error)
        click.echo(
            f"Error: standard output must be writable, got {what!r}. What the command wrote to "
            "files is complete.",
            err=True,
        )
        raise SystemExit(1)


class Commands(click.Group):
    """A group of commands that finish their work also if their output cannot be printed."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command, as `click.Group.main` does."""
        with steady_streams():
            return super().main(*args, **options)
