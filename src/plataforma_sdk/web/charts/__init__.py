"""Charts as pictures: what a module asks for with `ui.chart`, drawn to SVG where nobody is harmed by it.

A chart's properties become a specification of Vega-Lite (`_kinds`, or `_authored` where the module brought its own),
bounded, themed and with the formats of the locale (`_spec`). It is drawn by vl-convert, of the extra ``charts``, which
holds a JavaScript engine: in a confined worker process only (`_worker`), which is killed when it takes too long
(`_drawing`). What comes back is checked (`_svg`), kept, and shown as an image with a sentence beside it (`_alt`).
"""

from plataforma_sdk.web.charts._renderer import Chart, ChartRenderer

__all__ = ["Chart", "ChartRenderer"]
