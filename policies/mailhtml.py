"""A message as HTML mail: one column, inline styles, readable without images, in the dark and by a screen reader.

What a mail program without media queries shows must do by itself: cells wrap, so that a table fits a phone. The small
style sheet only darkens it and leaves out, on a phone, columns that are for comparing. Lines are broken where a reader
sees nothing of it, since mail takes lines of 998 signs at most.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from policies.markup import Block, inline_html, pay_lines, plain

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_STYLE = """<style>
@media (prefers-color-scheme: dark) {
  body, .page { background:#16181c !important }
  .card { background:#1f2228 !important; border-left-color:#343943 !important }
  .card { border-right-color:#343943 !important; border-bottom-color:#343943 !important }
  .card p, .card li, .card td, .card th, .card h1, .card h2 { color:#e8eaed !important }
  .muted, .card .muted { color:#a9b0bb !important }
  .box { background:#282c34 !important; border-color:#3a404b !important }
  .rule { border-color:#3a404b !important }
}
@media (max-width: 520px) {
  .outer { padding:12px 6px !important }
  .card { padding:20px 14px !important }
  .items { font-size:13px !important }
  .items td, .items th { padding-right:8px !important }
  .items .end { padding-right:0 !important }
  .optional { display:none !important }
}
</style>"""


def as_html(
    subject: str, blocks: Sequence[Block], data: Mapping[str, Any], labels: Mapping[str, str], language: str
) -> str:
    """The message as one HTML page."""
    colour = data["look"]["colour"]
    sender = escape(data["sender_name"])
    body = "\n".join(_block(block, data, labels, colour) for block in blocks)
    preview = next((plain(block.lines[0]) for block in blocks if block.part == "why" and block.lines), "")
    footer = _reach(data["reach"], labels) + "<br>".join(escape(line) for line in data["look"]["footer"])
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '\n<meta name="viewport" content="width=device-width,initial-scale=1">'
        '\n<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"\n<title>{escape(subject)}</title>{_STYLE}</head>\n"
        f'<body class="page" style="margin:0;padding:0;background:#f2f3f5;{_FONT}">'
        f'\n<div style="display:none;max-height:0;overflow:hidden">{escape(preview)}</div>'
        '\n<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td class="outer" align="center" style="padding:24px 12px">'
        '<div style="max-width:600px;margin:0 auto;text-align:left">'
        f'<div class="card" style="background:#ffffff;border:1px solid #e1e4e8;border-top:4px solid {colour};'
        'border-radius:6px;padding:28px 32px">'
        '<header><p class="muted" style="margin:0 0 12px;font-size:14px;font-weight:600;color:#5c6570">'
        f"{sender}</p></header>\n"
        f'<main>\n<h1 style="margin:0 0 20px;font-size:19px;line-height:1.35;color:#1b1f24">{escape(subject)}</h1>\n'
        f"{body}</main></div>\n"
        '<footer><p class="muted" style="margin:16px 8px;font-size:12px;line-height:1.5;color:#5c6570">'
        f"{footer}</p></footer>"
        "</div></td></tr></table></body></html>"
    )


def _reach(reach: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """The link to where the reader says how we reach them."""
    if not reach["link"]:
        return ""
    link = f'<a class="muted" href="{escape(reach["link"])}" style="color:#5c6570;text-decoration:underline">'
    return f"{link}{escape(labels[reach['label']])}</a><br><br>"


def _block(block: Block, data: Mapping[str, Any], labels: Mapping[str, str], colour: str) -> str:
    match block.kind:
        case "heading":
            return (
                '<h2 style="margin:24px 0 8px;font-size:16px;line-height:1.4;color:#1b1f24">'
                f"{inline_html(block.lines[0])}</h2>"
            )
        case "list":
            points = "".join(f'\n<li style="margin:0 0 8px">{inline_html(line)}</li>' for line in block.lines)
            return (
                '<ul style="margin:0 0 16px;padding-left:20px;font-size:15px;line-height:1.55;color:#1b1f24">'
                f"{points}</ul>"
            )
        case "items":
            return "".join(_table(table, labels) for table in data["tables"])
        case "plan":
            return "".join(_table(table, labels) for table in data["plan_tables"])
        case "pay":
            return _pay(data["pay"], labels, colour)
        case "sign":
            signed = "<br>".join(escape(line) for line in data["signature"] if line)
            return _paragraph(signed)
        case _:
            return _paragraph(inline_html(block.lines[0]))


def _paragraph(html: str) -> str:
    return f'<p style="margin:0 0 16px;font-size:15px;line-height:1.55;color:#1b1f24">{html}</p>'


def _table(table: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    columns, right, optional = table["columns"], table["right"], table["optional"]
    last = len(columns) - 1

    def cell(tag: str, name: str, text: str, style: str) -> str:
        align = "right" if name in right else "left"
        # An amount stays in one piece; a long number of a document breaks rather than push it off the screen.
        wrap = "white-space:nowrap;" if name in right else "overflow-wrap:anywhere;" if name == "document" else ""
        kinds = ["rule", *(["optional"] if name in optional else []), *(["end"] if name == columns[last] else [])]
        scope = ' scope="col"' if tag == "th" else ""
        pad = "8px 0" if name == columns[last] else "8px 12px 8px 0"
        look = f"padding:{pad};vertical-align:bottom;{wrap}{style}"
        return f'\n<{tag}{scope} class="{" ".join(kinds)}" align="{align}" style="{look}">{escape(text)}</{tag}>'

    head = "".join(
        cell("th", name, labels[name], "font-size:12px;color:#5c6570;border-bottom:2px solid #d4d8dd")
        for name in columns
    )
    rows = "".join(
        "<tr>"
        + "".join(
            cell("td", name, text, "border-bottom:1px solid #e1e4e8") for name, text in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in table["rows"]
    )
    caption = (
        f'<caption style="text-align:left;font-weight:600;padding:0 0 4px">{escape(table["title"])}</caption>'
        if table["title"]
        else ""
    )
    total = (
        f'<p style="margin:0 0 20px;font-size:16px;text-align:right;color:#1b1f24">{escape(table["total_label"])} '
        f"<strong>{escape(table['total'])}</strong></p>"
    )
    return (
        '<table class="items" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="border-collapse:collapse;margin:4px 0 8px;font-size:14px;color:#1b1f24">'
        f"{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{total}"
    )


def _pay(pay: Mapping[str, Any], labels: Mapping[str, str], colour: str) -> str:
    lines = "".join(
        f'\n<tr><td class="muted" style="padding:3px 16px 3px 0;color:#5c6570;vertical-align:top">{escape(label)}</td>'
        f'<td style="padding:3px 0;color:#1b1f24;overflow-wrap:anywhere"><strong>{escape(value)}</strong></td></tr>'
        for label, value in pay_lines({**pay, "link": None}, labels)
    )
    button = ""
    if pay["link"]:
        button = (
            f'<p style="margin:0 0 12px"><a href="{escape(pay["link"])}" style="display:inline-block;'
            f"background:{colour};"
            f"color:{ink(colour)};"
            'text-decoration:none;font-size:15px;font-weight:600;padding:11px 20px;border-radius:5px">'
            f"{escape(labels['pay_button'])}</a></p>"
        )
    return (
        '<div class="box" style="background:#f6f7f9;border:1px solid #e1e4e8;border-radius:6px;padding:16px 18px;'
        f'margin:0 0 20px">{button}<table role="presentation" cellpadding="0" cellspacing="0" border="0" '
        f'style="font-size:14px">{lines}</table></div>'
    )


def ink(colour: str) -> str:
    """Black or white, whichever stands out more from a colour (`#rrggbb`), by the contrast of WCAG."""
    linear = []
    for at in (1, 3, 5):
        share = int(colour[at : at + 2], 16) / 255
        linear.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"
