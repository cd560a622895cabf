from __future__ import absolute_import

import io
import os
import re

from setuptools import setup

HERE = os.path.dirname(os.path.abspath(__file__))
# The public repository, as https://github.com/OWNER/NAME. A release needs it.
URL = ""


def read(*path):
    with io.open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


VERSION = re.search(
    r'^__version__ = "(.+)"', read("django_compat", "__init__.py"), re.MULTILINE
).group(1)
README = read("README.rst")
if URL:
    # The package index has no files beside README: link to those of the release.
    README = re.sub(r"<([\w./-]+)>`_", r"<%s/blob/%s/\1>`_" % (URL, VERSION), README)

setup(
    name="django-compat-shim",
    version=VERSION,
    description="One import line for Django's database connections, on every Django",
    url=URL,
    long_description=README,
    long_description_content_type="text/x-rst",
    license="BSD-3-Clause",
    packages=[
        "django_compat",
        "django_compat._names",
        "django_compat._names.backports",
        "django_compat._db",
        "django_compat._capacity",
        "django_compat._cli",
        "django_compat.contrib",
        "django_compat.management",
        "django_compat.management.commands",
        "django_compat.templatetags",
    ],
    package_data={
        "django_compat": ["py.typed", "*.pyi", "*/*.pyi", "*/*/*.pyi"],
        "django_compat._cli": ["places.txt"],
    },
    entry_points={"pytest11": ["django_compat = django_compat.contrib.pytest"]},
    zip_safe=False,
    python_requires=">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*",
    install_requires=["Django>=1.4", "packaging>=20.9", "six>=1.12"],
    # The commands adopt and retire.
    extras_require={"rewrite": ["libcst>=1.1; python_version >= '3.10'"]},
    keywords="django database connections compatibility close_old_connections",
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 1.4",
        "Framework :: Django :: 1.5",
        "Framework :: Django :: 1.6",
        "Framework :: Django :: 1.7",
        "Framework :: Django :: 1.8",
        "Framework :: Django :: 1.9",
        "Framework :: Django :: 1.10",
        "Framework :: Django :: 1.11",
        "Framework :: Django :: 2.0",
        "Framework :: Django :: 2.1",
        "Framework :: Django :: 2.2",
        "Framework :: Django :: 3.0",
        "Framework :: Django :: 3.1",
        "Framework :: Django :: 3.2",
        "Framework :: Django :: 4.0",
        "Framework :: Django :: 4.1",
        "Framework :: Django :: 4.2",
        "Framework :: Django :: 5.0",
        "Framework :: Django :: 5.1",
        "Framework :: Django :: 5.2",
        "Framework :: Django :: 6.0",
        "Framework :: Django :: 6.1",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python",
        "Programming Language :: Python :: 2.7",
        "Programming Language :: Python :: 3.6",
        "Programming Language :: Python :: 3.7",
        "Programming Language :: Python :: 3.8",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Programming Language :: Python :: 3.15",
        "Topic :: Database",
    ],
)
