"""Draw bars as an SVG, in colours that are readable on white and on black."""

from __future__ import absolute_import

from xml.sax.saxutils import escape

WIDTH, BAR, STEP, LEFT, ROOM = 740, 14, 20, 270, 385  # pixels
HEAD = u"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<style>
text { font: 12px sans-serif; fill: #717a84; } .title { font-weight: bold; }
rect { fill: #8c959f; } .ours { fill: #2da44e; }
</style>
"""


def render(title, panels, ours):
    """Return the ``[(heading, [(name, value)])]`` of ``panels``; cut too long bars.

    The bars whose name is ``ours`` get a colour of their own.
    """
    lines, y = [], 6
    for heading, bars in panels:
        y += STEP
        lines.append(u'<text class="title" x="8" y="%d">%s</text>'
                     % (y, escape(heading)))
        full = 1.5 * sorted(value for _, value in bars)[-2]
        for name, value in bars:
            y += STEP
            width = ROOM * min(value / full, 1)
            pieces = [(LEFT, width)]
            if value > full:  # a gap says that the bar goes on
                pieces = [(LEFT, ROOM - 36), (LEFT + ROOM - 30, 30)]
            lines.append(u'<text x="%d" y="%d" text-anchor="end">%s</text>'
                         % (LEFT - 8, y, escape(name)))
            for x, length in pieces:
                lines.append(u'<rect%s x="%d" y="%d" width="%.1f" height="%d"/>' % (
                    ' class="ours"' if name == ours else "", x, y - 11, length, BAR))
            lines.append(u'<text x="%.1f" y="%d">%s</text>'
                         % (LEFT + width + 6, y, u"{:,.0f} \u00b5s".format(value)))
        y += STEP // 2
    return HEAD % (WIDTH, y + 8, escape(title)) + u"\n".join(lines) + u"\n</svg>\n"
