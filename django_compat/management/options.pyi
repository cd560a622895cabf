from argparse import ArgumentParser
from optparse import Option

__all__ = ["LEVELS", "add_options", "option_list"]

LEVELS: list[str]

def add_options(parser: ArgumentParser) -> None: ...
def option_list() -> tuple[Option, ...]: ...
