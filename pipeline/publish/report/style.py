"""The page's looks: one column, system fonts, readable at 1280 px and on paper."""

# ruff: noqa: E501  # CSS reads by rule, not by width

CSS = """
:root { --ink:#1b2733; --slate:#4f5f6e; --mist:#aab4be; --rule:#dfe5ea; --paper:#ffffff; --wash:#f4f6f8; --link:#005a8f;
  --good:#00694e; --good-wash:#e3f4ee; --degraded:#8a4b00; --degraded-wash:#fdf0dc; --failed:#9b1c1c; --failed-wash:#fbe6e6; }
* { box-sizing:border-box; }
html { scroll-behavior:smooth; scroll-padding-top:56px; }
body { margin:0; background:var(--wash); color:var(--ink); font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
a { color:var(--link); } a:focus-visible, button:focus-visible, select:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline:3px solid #56B4E9; outline-offset:2px; }
.skip { position:absolute; left:-999px; } .skip:focus { left:12px; top:12px; background:#fff; padding:8px 12px; z-index:10; }
.wrap { max-width:1240px; margin:0 auto; padding:0 24px; }
header.page { padding-top:26px; }
.eyebrow { color:var(--slate); font-size:13px; letter-spacing:.04em; text-transform:uppercase; margin:0; }
h1 { font-size:28px; line-height:1.2; margin:2px 0 4px; letter-spacing:-.01em; }
h2 { font-size:20px; line-height:1.3; margin:0 0 4px; }
.sub { color:var(--slate); margin:0 0 16px; }
.verdict { display:flex; gap:18px; align-items:center; border-radius:10px; padding:16px 20px; border:1px solid; border-left-width:10px; }
.verdict .mark { font-size:34px; line-height:1; width:44px; text-align:center; flex:none; font-weight:700; }
.verdict strong { font-size:24px; line-height:1.2; display:block; } .verdict p { margin:2px 0 0; font-size:17px; }
.good { color:var(--good); background:var(--good-wash); border-color:var(--good); }
.degraded { color:var(--degraded); background:var(--degraded-wash); border-color:var(--degraded); }
.failed { color:var(--failed); background:var(--failed-wash); border-color:var(--failed); }
.verdict p { color:var(--ink); }
.cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(340px,1fr)); gap:12px; margin:14px 0 0; padding:0; list-style:none; }
.card { background:var(--paper); border:1px solid var(--rule); border-radius:10px; padding:12px 16px; min-width:0; }
.card h2 { font-size:13px; font-weight:600; color:var(--slate); margin:0; }
.card .value { font-size:21px; font-weight:650; margin:2px 0; font-variant-numeric:tabular-nums; overflow-wrap:anywhere; line-height:1.25; }
.card .value tbody th { font-weight:500; } details { margin-top:12px; } summary { cursor:pointer; font-weight:600; margin-bottom:6px; }
code { font-size:17px; font-weight:600; }
.card .note { font-size:13.5px; color:var(--slate); margin:0; overflow-wrap:anywhere; }
.card.tone-degraded { border-left:5px solid var(--degraded); } .card.tone-good { border-left:5px solid var(--good); } .card.tone-failed { border-left:5px solid var(--failed); }
nav.toc { position:sticky; top:0; background:rgba(244,246,248,.96); border-bottom:1px solid var(--rule); z-index:5; margin-top:18px; }
nav.toc ul { display:flex; flex-wrap:wrap; gap:2px 16px; list-style:none; margin:0 auto; padding-top:9px; padding-bottom:9px; font-size:14px; }
nav.toc a { text-decoration:none; } nav.toc a:hover { text-decoration:underline; }
section { background:var(--paper); border:1px solid var(--rule); border-radius:10px; padding:18px 20px; margin:16px 0; }
.lead { color:var(--slate); margin:0 0 8px; max-width:92ch; }
.says { font-size:14px; color:var(--ink); margin:6px 0 0; max-width:110ch; }
.choose { display:inline-flex; gap:8px; align-items:center; font-size:14px; margin:2px 0 6px; }
select, button { font:inherit; font-size:14px; padding:5px 9px; border:1px solid var(--mist); border-radius:6px; background:#fff; color:var(--ink); }
figure { margin:0; } .plot { width:100%; } .empty { background:var(--wash); border-radius:8px; padding:26px; color:var(--slate); text-align:center; }
.synthetic { display:inline-block; font-size:12px; font-weight:600; border:1px solid var(--mist); border-radius:999px; padding:0 8px; color:var(--slate); }
.scroll { overflow-x:auto; max-height:520px; overflow-y:auto; border:1px solid var(--rule); border-radius:8px; }
table { border-collapse:collapse; width:100%; font-size:14px; } caption { text-align:left; color:var(--slate); padding:0 0 6px; font-size:14px; }
th, td { text-align:left; padding:6px 10px; border-bottom:1px solid var(--rule); vertical-align:top; } thead th { position:sticky; top:0; background:var(--wash); }
td.num, th.num { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; }
th button { border:0; background:none; padding:0; font-weight:600; cursor:pointer; } th[aria-sort] button::after { content:" \\2195"; color:var(--mist); }
th[aria-sort=ascending] button::after { content:" \\2191"; color:var(--ink); } th[aria-sort=descending] button::after { content:" \\2193"; color:var(--ink); }
.sev { font-weight:650; white-space:nowrap; } .sev-warning { color:var(--degraded); } .sev-info { color:var(--slate); } .sev-failed { color:var(--failed); }
code { font-size:.93em; overflow-wrap:anywhere; } dl.units { display:grid; grid-template-columns:max-content 1fr; gap:4px 18px; margin:8px 0 0; }
dl.units dt { font-weight:650; } dl.units dd { margin:0; color:var(--slate); }
footer { color:var(--slate); font-size:13px; padding:8px 0 40px; }
@media (max-width:700px) { .wrap { padding:0 12px; } section { padding:14px 10px; } dl.units { grid-template-columns:1fr; } nav.toc { position:static; } }
@media print {
  @page { size:A4; margin:12mm; } body { background:#fff; font-size:11pt; } .wrap { max-width:none; padding:0; } nav.toc, .skip, .choose button, th button::after { display:none; }
  section { border:0; padding:0; margin:0 0 14px; } section.fig, .card, .verdict { break-inside:avoid; } .scroll { max-height:none; overflow:visible; border:0; }
  .cards { grid-template-columns:repeat(3,1fr); } * { -webkit-print-color-adjust:exact; print-color-adjust:exact; } .modebar { display:none !important; }
}
"""
