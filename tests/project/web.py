"""A web process without a server: each line of stdin requests the page once."""

from __future__ import absolute_import, print_function

import json
import sys
from wsgiref.util import setup_testing_defaults

from wsgi import application


def get():
    environ = {"PATH_INFO": "/"}
    setup_testing_defaults(environ)
    try:
        response = application(environ, lambda status, headers: None)
    except Exception as error:
        return {"error": repr(error)}
    body = b"".join(response)
    response.close()
    return json.loads(body.decode("ascii"))


for _ in iter(sys.stdin.readline, ""):
    print(json.dumps(get()))
    sys.stdout.flush()
