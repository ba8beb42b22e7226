"""The design system: the frame of every page, the parts pages are made of, and one page that shows them all.

Parts are Jinja macros: `components/forms.html` (what a person fills in), `components/blocks.html` (what a person
reads), `components/chart.html` (a line over time with its table). Colours, type and spacing are in
`static/app.css` and nowhere else.
"""
