"""Draw the pictures of docs/: run it without arguments to write docs/pictures/*.svg.

A picture is a list of shapes. All colours are readable on white and on black.
"""

from __future__ import absolute_import

import io
import os
from xml.sax.saxutils import escape

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")
HEAD = u"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"
markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#717a84"/></marker></defs>
<style>
text { font: 14px sans-serif; fill: #717a84; text-anchor: middle; }
text.left { text-anchor: start; } text.right { text-anchor: end; }
line { stroke: #717a84; stroke-width: 1.5; } .arrow { marker-end: url(#arrow); }
.dashed { stroke-dasharray: 4 4; }
rect { fill: none; stroke: #717a84; stroke-width: 1.5; }
.good { stroke: #2da44e; } .bad { stroke: #d1574e; } .bar { stroke-width: 9; }
</style>
"""
WIDTH = 480  # of a picture: a phone still shows its text in 10 pixels


def box(x, y, width, height, text, kind=""):
    middle = y + height / 2.0 + 5
    yield u'<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>' % (
        kind, x, y, width, height)
    yield u'<text x="%d" y="%d">%s</text>' % (x + width / 2.0, middle, escape(text))


def label(x, y, text, kind="left"):
    yield u'<text class="%s" x="%d" y="%d">%s</text>' % (kind, x, y, escape(text))


def line(x1, y1, x2, y2, kind="arrow"):
    yield u'<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d"/>' % (kind, x1, y1, x2, y2)


def bars(y, *points):
    """Return bars of a session; a point is where a bar begins, ends, and its kind."""
    return [line(begin, y, end, y, kind + " bar") for begin, end, kind in points]


def stale():
    """A session ends while the process idles."""
    shapes = [label(8, y + 5, name) for name, y in
              [("server", 55), ("your kernel", 115), ("Django", 175)]]
    shapes += bars(55, (100, 270, "good"))
    shapes += bars(115, (100, 270, "good"), (270, 470, "bad"))
    shapes += bars(175, (100, 400, "good"), (400, 470, "bad"))
    shapes += [line(270, 62, 270, 106), line(400, 166, 400, 124)]
    shapes += [label(270, 35, "the session ends", "")]
    shapes += [label(280, 92, "FIN: the kernel knows")]
    shapes += [label(185, 205, "work, then idle", "")]
    shapes += [label(400, 205, "the next query fails", "")]
    return 220, "A session ends while the process idles", shapes


def readable():
    """What one poll() of a connection's socket may find."""
    shapes = [box(4, 80, 66, 40, "poll()")]
    rows = [("no event", "alive", "good"), ("hang-up", "lost", "bad")]
    for y, (text, end, kind) in zip([10, 150], rows):
        shapes += [line(70, 100, 108, y + 20), box(110, y, 104, 40, text)]
        shapes += [line(214, y + 20, 404, y + 20), box(406, y, 68, 40, end, kind)]
    shapes += [line(70, 100, 108, 100), box(110, 80, 104, 40, "data to read")]
    shapes += [line(214, 100, 244, 100), box(246, 80, 124, 40, "ask the server")]
    shapes += [line(350, 80, 404, 42), line(350, 120, 404, 158)]
    shapes += [label(424, 88, "answers", ""), label(424, 122, "does not", "")]
    return 200, "What one poll() may find", shapes


def life():
    """A connection's life under Django's two functions, and with the application."""
    units, lost = [(20, 90), (120, 190), (320, 390), (400, 470)], 290
    shapes = [box(begin, 8, end - begin, 26, str(number), "")
              for number, (begin, end) in enumerate(units, 1)]
    shapes += [label(255, 26, "idle", "")]
    shapes += [line(lost, 40, lost, 260, "dashed")]
    shapes += [label(20, 62, "close_connection (Django 1.4 to 1.7)")]
    shapes += bars(80, *[(begin, end, "good") for begin, end in units])
    shapes += [label(20, 122, "close_old_connections (1.6 and later)")]
    shapes += bars(140, (20, lost, "good"), (lost, 390, "bad"), (400, 470, "good"))
    shapes += [label(355, 166, "fails", "")]
    shapes += [label(20, 192, "the same, with the application")]
    shapes += bars(210, (20, lost, "good"), (lost, 320, "bad"), (325, 470, "good"))
    shapes += [line(320, 240, 320, 220), label(328, 246, "looks, reopens")]
    shapes += [label(lost, 276, "the server ends the session", "")]
    return 290, "Four units of work, and the sessions that are open meanwhile", shapes


def age():
    """When Django closes a connection for its CONN_MAX_AGE."""
    shapes = [line(20, 60, 20, 40, ""), label(20, 30, "connect")]
    shapes += bars(60, (20, 390, "good"))
    shapes += [line(240, 30, 240, 90, "dashed"), label(240, 22, "CONN_MAX_AGE", "")]
    for begin in 60, 170, 320:
        shapes.append(box(begin, 80, 70, 26, "unit"))
    shapes += [line(390, 135, 390, 70), label(300, 150, "closed at its end", "")]
    return 165, "A connection past its age is closed at the end of a unit", shapes


def fork():
    """Parent and child share a socket."""
    shapes = [box(4, 20, 100, 40, "parent, fd 5"), box(4, 110, 100, 40, "child, fd 5")]
    shapes += [box(190, 65, 110, 40, "one socket", "bad")]
    shapes += [box(376, 65, 100, 40, "one session")]
    shapes += [line(104, 40, 188, 76), line(104, 130, 188, 94), line(300, 85, 374, 85)]
    return 170, "Parent and child share one socket", shapes


def discard():
    """After discard_connections() in the child."""
    shapes = [box(4, 20, 100, 40, "parent, fd 5"), box(4, 110, 100, 40, "child, fd 6")]
    shapes += [box(190, 20, 110, 40, "the socket", "good")]
    shapes += [box(190, 110, 110, 40, "a new socket", "good")]
    shapes += [box(376, 20, 100, 40, "its session"), box(376, 110, 100, 40, "its own")]
    for y in 40, 130:
        shapes += [line(104, y, 188, y), line(300, y, 374, y)]
    return 170, "After discard_connections() each process has a session", shapes


def silence():
    """A network forgets a connection, and tells nobody."""
    shapes = [label(8, y + 5, name) for name, y in
              [("server", 40), ("network", 90), ("your kernel", 140)]]
    shapes += bars(40, (100, 470, "good"))
    shapes += bars(90, (100, 250, "good"), (250, 470, "bad"))
    shapes += bars(140, (100, 470, "good"))
    shapes += [line(250, 24, 250, 165, "dashed"), label(250, 18, "forgets it", "")]
    for x in 340, 370, 410:
        shapes.append(line(x, 131, x, 100))
    shapes += [label(385, 175, "sent again and again", "")]
    shapes += [label(175, 175, "idle", "")]
    return 190, "A network that drops silently tells neither end", shapes


def house():
    """The layers of the package; imports go down only."""
    layers = [
        ("__main__", "the command"),
        ("apps", "INSTALLED_APPS, install()"),
        ("checks  management  templatetags  contrib", "what Django loads"),
        ("_cli", "reports, matrix, the three jobs"),
        ("_capacity", "what a server allows, and you want"),
        ("_db  _lazy", "connections; names at first use"),
        ("_names", "the table of moved names, backports"),
        ("matrix", "which Python runs which Django"),
    ]
    shapes = []
    for row, (names, text) in enumerate(layers):
        y = 6 + 42 * row
        shapes += [box(4, y, WIDTH - 8, 34, ""), label(14, y + 22, names)]
        shapes.append(label(WIDTH - 14, y + 22, text, "right"))
    return 342, "The layers of django_compat: imports go down only", shapes


def render(picture):
    """Return the SVG of a picture."""
    height, title, shapes = picture()
    lines = [text for shape in shapes for text in shape]
    return HEAD % (WIDTH, height, escape(title)) + u"\n".join(lines) + u"\n</svg>\n"


PICTURES = [stale, readable, life, age, fork, discard, silence, house]

if __name__ == "__main__":
    for picture in PICTURES:
        path = os.path.join(FOLDER, picture.__name__ + ".svg")
        with io.open(path, "w", encoding="utf-8") as stream:
            stream.write(render(picture))
