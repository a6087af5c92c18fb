namespace FewStep.Reporting.Html;

/// <summary>The page's looks. It holds no angle bracket and no ampersand, so it reads the same as HTML and as XML.</summary>
internal static class StyleSheet
{
    // Method colours keep a contrast of 3:1 with the page and differ under colour-vision deficiencies; shapes differ too.
    public const string Text = """

        :root { --page: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --muted: #59636e; --line: #dfe3e8; --base: #8c959f; --warn: #8a4b00; --warn-page: #fff6e5;
          --standard: #7b848e; --teacher: #00795c; --m1: #d24a00; --m2: #0068b8; --m3: #a8488f; --m4: #8f6a00; --m5: #2b8a9e; --m6: #5b4fc4; }
        @media screen and (prefers-color-scheme: dark) { :root { --page: #14171b; --panel: #1f242a; --ink: #e8ebee; --muted: #a3acb6; --line: #31373f; --base: #6c757f; --warn: #ffcf8a; --warn-page: #2e2412;
          --standard: #98a2ac; --teacher: #35c39b; --m1: #ff8247; --m2: #58aef5; --m3: #e592cf; --m4: #d9ac2e; --m5: #5cc3d8; --m6: #a79df5; } }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
        main { max-width: 908px; margin: 0 auto; padding: 24px; }
        h1 { font-size: 1.75rem; line-height: 1.2; margin: 8px 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; margin: 44px 0 12px; padding-top: 14px; border-top: 1px solid var(--line); }
        h3 { font-size: 1rem; margin: 20px 0 4px; }
        p { margin: 8px 0; overflow-wrap: anywhere; }
        ul { margin: 8px 0; padding-left: 22px; }
        li { overflow-wrap: anywhere; }
        .what, .remark, .small, figcaption { color: var(--muted); }
        .remark, .small, figcaption, .legend { font-size: 0.875rem; }
        .lead { font-size: 1.15rem; margin: 18px 0; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 16px 0; }
        .tile { background: var(--panel); border-radius: 8px; padding: 12px 14px; display: flex; flex-direction: column; overflow-wrap: anywhere; }
        .tile .figure { font-size: 1.75rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
        .warnings { background: var(--warn-page); border-radius: 8px; padding: 12px 18px; margin: 24px 0; }
        .warnings h2 { border: 0; margin: 0; padding: 0; font-size: 1rem; color: var(--warn); }
        .chip { width: 0.95em; height: 0.95em; vertical-align: -0.1em; margin-right: 0.4em; flex: none; }
        figure { margin: 12px 0; }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 0 0 4px; }
        .chart { display: block; width: 100%; height: auto; }
        .narrow { display: none; }
        .scroll { overflow-x: auto; margin: 14px 0; }
        table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
        thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; }
        tbody th { font-weight: 400; position: sticky; left: 0; background: var(--page); white-space: normal; min-width: 168px; }
        .number { text-align: right; }
        .detail { display: block; color: var(--muted); font-size: 0.86em; white-space: pre; }
        .result th, .result td, .total th, .total td { font-weight: 700; }
        .result .detail { font-weight: 400; }
        .strips { display: grid; gap: 8px; }
        .strip { display: grid; grid-template-columns: 210px 1fr; gap: 12px; align-items: center; }
        .strip-label { display: flex; flex-direction: column; overflow-wrap: anywhere; }
        .strip img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 4px; }
        @media screen and (max-width: 640px) { .strip { grid-template-columns: 1fr; gap: 2px; } .strip-label { flex-direction: row; flex-wrap: wrap; gap: 0 10px; align-items: baseline; } }
        .facts { margin: 4px 0; font-size: 0.875rem; }
        .facts div { display: grid; grid-template-columns: minmax(90px, 25%) 1fr; gap: 12px; padding: 3px 0; border-bottom: 1px solid var(--line); }
        dt { color: var(--muted); overflow-wrap: anywhere; }
        dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        svg text { font-size: 12px; fill: var(--ink); font-family: inherit; }
        svg .tick, svg .axis, svg .note { fill: var(--muted); }
        svg .tick, svg .value { font-size: 11px; font-variant-numeric: tabular-nums; }
        svg .value, svg .name { paint-order: stroke; stroke: var(--page); stroke-width: 3px; stroke-linejoin: round; }
        .grid, .row { stroke: var(--line); stroke-width: 1; }
        .base { stroke: var(--base); stroke-width: 1; }
        .reference { stroke: var(--base); stroke-width: 1; stroke-dasharray: 4 3; }
        .band { fill: var(--standard); opacity: 0.25; }
        .measured { fill: var(--standard); }
        .fit { fill: none; stroke: var(--ink); stroke-width: 1.4; }
        .standard { --method: var(--standard); } .teacher { --method: var(--teacher); }
        .m1 { --method: var(--m1); } .m2 { --method: var(--m2); } .m3 { --method: var(--m3); } .m4 { --method: var(--m4); } .m5 { --method: var(--m5); } .m6 { --method: var(--m6); }
        .point { fill: var(--method); stroke: var(--page); stroke-width: 1; }
        .minor { fill: none; stroke: var(--method); stroke-width: 1.2; pointer-events: all; }
        .joint { fill: none; stroke: var(--method); stroke-width: 1.4; }
        .drop { stroke: var(--method); stroke-width: 1; stroke-dasharray: 2 3; }
        .series { fill: none; stroke: var(--method); stroke-width: 1.6; stroke-linejoin: round; }
        .error { stroke: var(--method); stroke-width: 1; }
        .worse { --method: var(--m1); } .better { --method: var(--m2); } .own { font-weight: 700; }
        .heat1 { background: color-mix(in srgb, var(--method) 10%, transparent); } .heat2 { background: color-mix(in srgb, var(--method) 20%, transparent); } .heat3 { background: color-mix(in srgb, var(--method) 32%, transparent); }
        .heat4 { background: color-mix(in srgb, var(--method) 46%, transparent); } .heat5 { background: color-mix(in srgb, var(--method) 60%, transparent); }
        .undecided th:first-child { font-weight: 600; }
        .dash1 { stroke-dasharray: 7 3; } .dash2 { stroke-dasharray: 2 3; } .dash3 { stroke-dasharray: 9 3 2 3; }
        @media screen and (max-width: 640px) { main { padding: 14px; } .wide { display: none; } .narrow { display: block; max-width: 480px; } .lead { font-size: 1.05rem; } tbody th { min-width: 112px; } th, td { padding-right: 9px; } }
        @media print { body { font-size: 11pt; } main { max-width: none; padding: 0; } figure, .tiles, .strips, .scroll, .facts, tr, .warnings { break-inside: avoid; } h2, h3 { break-after: avoid; }
          .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding-right: 10px; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }

        """;
}
