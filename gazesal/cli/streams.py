"""Keep a command running if its standard output or error is closed or full."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import click

__all__ = ["Commands", "SteadyStream"]

CLOSED = 141  # 128 + SIGPIPE, the exit status that shells report if the reader of a pipe has left


class SteadyStream:
    """A text stream that drops text that cannot be written, and keeps the first error.

    An evaluation of hours must not end because `head` has read enough lines, or because a log file
    fills the disk.

    Parameters
    ----------
    stream : text stream
        The stream to write to.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write text, with escapes for letters missing from the stream's encoding."""
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
        # otherwise the interpreter would fail to flush the buffered text on exit, with a message
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
    """Finish the block even if its output cannot be written, and report that afterwards.

    The exit status is 141 if the reader of the output has left. It is 1, with a line on standard
    error, if the output cannot be written for another reason. An error in the block itself takes
    precedence.
    """
    out, err = SteadyStream(sys.stdout), SteadyStream(sys.stderr)
    status: object = 0
    with ExitStack() as stack:
        # None if the process was started without the stream (`>&-`), and click prints nothing
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
            f"Error: standard output must be writable, got {what!r}. The files of the command "
            "are complete.",
            err=True,
        )
        raise SystemExit(1)


class Commands(click.Group):
    """A group of commands that finish even if their output cannot be printed."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command like `click.Group.main`."""
        with steady_streams():
            return super().main(*args, **options)
