"""Mend two things of the pinned tox and virtualenv, the last that serve Python 2.7."""

from tox.version import __version__


def mend():
    from filelock import Timeout
    from tox.execute.local_sub_process.read_via_thread_unix import ReadViaThreadUnix
    from virtualenv.util import lock

    # It looks at both pipes of each command a hundred times a second, though select()
    # returns with the first byte: up to 5 % of the CPU time of `tox -p 4`.
    ReadViaThreadUnix._read_available.__defaults__ = (0.5,)

    # A lock that cannot be had at once stays half taken, and the next thread waits for
    # ever (https://github.com/tox-dev/tox/issues/3254).
    acquire = lock._CountedFileLock.acquire

    def acquire_or_leave(self, *args, **options):
        try:
            acquire(self, *args, **options)
        except Timeout:
            if self.count == 0 and self.thread_safe._is_owned():
                self.thread_safe.release()
            raise

    lock._CountedFileLock.acquire = acquire_or_leave


if __version__ == "4.5.1.1":  # and not one that only brings this one in
    mend()
