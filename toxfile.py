"""Mend a lock of the pinned virtualenv, the last that makes environments for 2.7."""

from tox.version import __version__


def mend():
    """Release a lock that was not acquired within its time-out.

    virtualenv's file lock acquires its thread lock first. When the file lock times out,
    the thread lock stays acquired and the next thread waits for ever
    (https://github.com/tox-dev/tox/issues/3254).
    """
    from filelock import Timeout
    from virtualenv.util import lock

    acquire = lock._CountedFileLock.acquire

    def acquire_or_leave(self, *args, **options):
        try:
            acquire(self, *args, **options)
        except Timeout:
            if self.count == 0 and self.thread_safe._is_owned():
                self.thread_safe.release()
            raise

    lock._CountedFileLock.acquire = acquire_or_leave


if __version__ == "4.5.1.1":  # a newer tox only installs the pinned version
    mend()
