"""Draw bars as an SVG, in colours that are readable on white and on black."""

from __future__ import absolute_import

from xml.sax.saxutils import escape

WIDTH, BAR, STEP, LEFT, ROOM = 740, 14, 20, 270, 385  # pixels
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<style>
text { font: 12px sans-serif; fill: #717a84; } .title { font-weight: bold; }
rect { fill: #8c959f; } .ours { fill: #2da44e; }
</style>
"""


def draw(file_name, title, panels, ours):
    """Write ``[(heading, [(name, value)])]``; a bar that is far too long is cut."""
    lines, y = [], 6
    for heading, bars in panels:
        y += STEP
        lines.append('<text class="title" x="8" y="%d">%s</text>'
                     % (y, escape(heading)))
        full = 1.5 * sorted(value for _, value in bars)[-2]
        for name, value in bars:
            y += STEP
            width = ROOM * min(value / full, 1)
            pieces = [(LEFT, width)]
            if value > full:  # a gap says that the bar goes on
                pieces = [(LEFT, ROOM - 36), (LEFT + ROOM - 30, 30)]
            lines.append('<text x="%d" y="%d" text-anchor="end">%s</text>'
                         % (LEFT - 8, y, escape(name)))
            for x, length in pieces:
                lines.append('<rect%s x="%d" y="%d" width="%.1f" height="%d"/>' % (
                    ' class="ours"' if name == ours else "", x, y - 11, length, BAR))
            lines.append('<text x="%.1f" y="%d">%s</text>'
                         % (LEFT + width + 6, y, u"{:,.0f} \u00b5s".format(value)))
        y += STEP // 2
    with open(file_name, "wb") as stream:
        text = HEAD % (WIDTH, y + 8, escape(title)) + "\n".join(lines) + "\n</svg>\n"
        stream.write(text.encode("utf-8"))
