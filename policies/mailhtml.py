"""A message as HTML mail: one column, inline styles, readable without images, in the dark and by a screen reader."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from policies.markup import Block, inline_html, pay_lines, plain

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_STYLE = """<style>
@media (prefers-color-scheme: dark) {
  body, .page { background:#16181c !important }
  .card { background:#1f2228 !important; border-color:#343943 !important }
  .card p, .card li, .card td, .card th, .card h1, .card h2 { color:#e8eaed !important }
  .card .muted { color:#a9b0bb !important }
  .box { background:#282c34 !important; border-color:#3a404b !important }
  .rule { border-color:#3a404b !important }
}
@media (max-width: 520px) { .card { padding:20px 16px !important } .optional { display:none !important } }
</style>"""


def as_html(
    subject: str, blocks: Sequence[Block], data: Mapping[str, Any], labels: Mapping[str, str], language: str
) -> str:
    """The message as one HTML page."""
    colour = data["look"]["colour"]
    sender = escape(data["sender_name"])
    body = "".join(_block(block, data, labels, colour) for block in blocks)
    preview = next((plain(block.lines[0]) for block in blocks if block.part == "why" and block.lines), "")
    footer = "<br>".join(escape(line) for line in data["look"]["footer"])
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(subject)}</title>{_STYLE}</head>"
        f'<body class="page" style="margin:0;padding:0;background:#f2f3f5;{_FONT}">'
        f'<div style="display:none;max-height:0;overflow:hidden">{escape(preview)}</div>'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td align="center" style="padding:24px 12px">'
        '<div style="max-width:600px;margin:0 auto;text-align:left">'
        f'<div class="card" style="background:#ffffff;border:1px solid #e1e4e8;border-top:4px solid {colour};'
        'border-radius:6px;padding:28px 32px">'
        f'<p style="margin:0 0 20px;font-size:17px;font-weight:600;color:#1b1f24">{sender}</p>'
        f"<main>{body}</main></div>"
        f'<p class="muted" style="margin:16px 8px;font-size:12px;line-height:1.5;color:#5c6570">{footer}</p>'
        "</div></td></tr></table></body></html>"
    )


def _block(block: Block, data: Mapping[str, Any], labels: Mapping[str, str], colour: str) -> str:
    match block.kind:
        case "heading":
            return (
                '<h2 style="margin:24px 0 8px;font-size:16px;line-height:1.4;color:#1b1f24">'
                f"{inline_html(block.lines[0])}</h2>"
            )
        case "list":
            points = "".join(f'<li style="margin:0 0 8px">{inline_html(line)}</li>' for line in block.lines)
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
        hidden = ' class="optional rule"' if name in optional else ' class="rule"'
        scope = ' scope="col"' if tag == "th" else ""
        pad = "8px 0" if name == columns[last] else "8px 12px 8px 0"
        return f'<{tag}{scope}{hidden} align="{align}" style="padding:{pad};{style}">{escape(text)}</{tag}>'

    head = "".join(
        cell(
            "th", name, labels[name], "font-size:12px;color:#5c6570;border-bottom:2px solid #d4d8dd;white-space:nowrap"
        )
        for name in columns
    )
    rows = "".join(
        "<tr>"
        + "".join(
            cell("td", name, text, "border-bottom:1px solid #e1e4e8;white-space:nowrap")
            for name, text in zip(columns, row, strict=True)
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
        '<table width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="border-collapse:collapse;margin:4px 0 8px;font-size:14px;color:#1b1f24">'
        f"{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{total}"
    )


def _pay(pay: Mapping[str, Any], labels: Mapping[str, str], colour: str) -> str:
    lines = "".join(
        f'<tr><td class="muted" style="padding:3px 16px 3px 0;color:#5c6570;white-space:nowrap">{escape(label)}</td>'
        f'<td style="padding:3px 0;color:#1b1f24;word-break:break-word"><strong>{escape(value)}</strong></td></tr>'
        for label, value in pay_lines({**pay, "link": None}, labels)
    )
    button = ""
    if pay["link"]:
        button = (
            f'<p style="margin:0 0 12px"><a href="{escape(pay["link"])}" style="display:inline-block;'
            f"background:{colour};"
            'color:#ffffff;text-decoration:none;font-size:15px;font-weight:600;padding:11px 20px;border-radius:5px">'
            f"{escape(labels['pay_button'])}</a></p>"
        )
    return (
        '<div class="box" style="background:#f6f7f9;border:1px solid #e1e4e8;border-radius:6px;padding:16px 18px;'
        f'margin:0 0 20px">{button}<table role="presentation" cellpadding="0" cellspacing="0" border="0" '
        f'style="font-size:14px">{lines}</table></div>'
    )
