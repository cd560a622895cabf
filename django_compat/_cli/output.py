"""Write reports where they may not be wanted: a closed pipe, a full disk, ASCII."""

from __future__ import absolute_import

import errno
import json
import os
import sys

import six

from django_compat._db.escapes import printable

__all__ = ["Output", "is_unheard", "to_json"]


class Output(object):
    """A stream for reports; ``is_heard`` turns False when nobody reads them.

    Characters that the stream cannot encode are replaced. The end of a pipe, and a
    stdout that the shell closed, are no errors. EnvironmentError for anything else that
    goes wrong, such as a full disk.
    """

    def __init__(self, stream):
        # Django wraps the stream; its wrapper does not flush until Django 3.1.
        self.stream = getattr(stream, "_out", stream)
        self.is_heard = self.stream is not None  # Python 3 has no stdout without a file
        try:
            os.fstat(1)
        except OSError:
            # Else a socket or a database would become file 1, which stdout writes to.
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            self.is_heard = self.is_heard and self.stream is not sys.stdout

    def write(self, text):
        """Write a text, and flush it."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        data = six.ensure_text(text, "utf-8").encode(encoding, "replace")
        text = data if isinstance(data, str) else data.decode(encoding)
        self._try(lambda: self.stream.write(text))
        self.flush()

    def flush(self):
        """Write what others have written to the stream."""
        self._try(lambda: self.stream.flush())

    def _try(self, function):
        if not self.is_heard:
            return
        try:
            function()
        except EnvironmentError as error:
            self.is_heard = False
            if self.stream is sys.stdout:  # Python will flush it once more
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not is_unheard(error):
                raise


def is_unheard(error):
    """Tell whether a write failed because nobody reads what is written."""
    return error.errno in (errno.EPIPE, errno.EBADF)


def to_json(document):
    """Return a document as JSON, in ASCII and without control characters."""
    text = json.dumps(document, indent=2, sort_keys=True, default=printable)
    return text.replace("\x7f", "\\u007f")
