namespace FewStep.Reporting.Html;

/// <summary>The page's looks. It holds no angle bracket and no ampersand, so it reads the same as HTML and as XML.</summary>
internal static class StyleSheet
{
    // Method colours keep a contrast of 3:1 with the page and differ under colour-vision deficiencies; shapes differ too.
    public const string Text = """

        :root { --page: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --muted: #59636e; --line: #dfe3e8; --base: #8c959f; --warn: #8a4b00;
          --warn-page: #fff6e5;
          --standard: #7b848e; --teacher: #00795c; --m1: #d24a00; --m2: #0068b8; --m3: #a8488f; --m4: #8f6a00; --m5: #2b8a9e;
          --m6: #5b4fc4; }
        @media screen and (prefers-color-scheme: dark) { :root { --page: #14171b; --panel: #1f242a; --ink: #e8ebee; --muted: #a3acb6;
          --line: #31373f; --base: #6c757f; --warn: #ffcf8a; --warn-page: #2e2412;
          --standard: #98a2ac; --teacher: #35c39b; --m1: #ff8247; --m2: #58aef5; --m3: #e592cf; --m4: #d9ac2e; --m5: #5cc3d8;
          --m6: #a79df5; } }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
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
        .tile { background: var(--panel); border-radius: 8px; padding: 12px 14px; display: flex; flex-direction: column;
        overflow-wrap: anywhere; }
        .tile .figure { font-size: 1.75rem; line-height: 1.3; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .tile .figure small { display: block; font-size: 0.5em; line-height: 1.1; color: var(--muted); }
        #warnings { background: var(--warn-page); border-radius: 8px; padding: 12px 18px; margin: 44px 0 24px; }
        #warnings h2 { border: 0; margin: 0; padding: 0; color: var(--warn); }
        .chip { width: 0.95em; height: 0.95em; vertical-align: -0.1em; margin-right: 0.4em; flex: none; }
        figure { margin: 12px 0; }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 0 0 4px; }
        .chart { display: block; width: 100%; height: auto; }
        .narrow { display: none; }
        .scroll { overflow-x: auto; margin: 14px 0; }
        table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top;
          white-space: nowrap; }
        thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; }
        tbody th { font-weight: 400; position: sticky; left: 0; background: var(--page); white-space: normal; min-width: 168px; }
        .scroll:not(.stack) tbody th { min-width: 0; }
        .number { text-align: right; }
        .detail { display: block; color: var(--muted); font-size: 0.86em; white-space: pre; }
        .result th, .result td { font-weight: 700; }
        .result .detail { font-weight: 400; }
        .best { font-weight: 700; } .undecided { font-style: italic; } .detail { font-weight: 400; font-style: normal; }
        .strip { margin: 14px 0 18px; }
        .strip-label { display: flex; flex-wrap: wrap; gap: 0 10px; align-items: baseline; margin: 0 0 4px; }
        .role { font-size: 0.75rem; border: 1px solid var(--line); border-radius: 9px; padding: 0 8px; color: var(--muted); }
        .images { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 60px), 1fr)); gap: 3px; }
        .images button { display: block; padding: 0; border: 0; background: none; cursor: zoom-in; }
        .images svg { display: block; width: 100%; height: auto; border-radius: 3px; }
        .pixels image { image-rendering: pixelated; }
        .images .picture { position: absolute; width: 0; height: 0; }
        details summary { cursor: pointer; color: var(--muted); }
        dialog { border: 0; border-radius: 10px; padding: 16px; width: min(96vw, 1100px); max-height: 94vh; background: var(--page);
          color: var(--ink); }
        dialog[open] { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 14px; }
        dialog::backdrop { background: rgba(0, 0, 0, 0.75); }
        dialog p { grid-column: 1 / -1; margin: 0; font-weight: 600; }
        dialog .images { margin: 0; display: block; }
        .code { background: var(--panel); border-radius: 8px; margin: 12px 0; }
        .code-head { display: flex; justify-content: space-between; align-items: center; gap: 12px; padding: 8px 12px 0 14px;
        font-size: 0.875rem; color: var(--muted); }
        .code pre { margin: 0; padding: 6px 14px 12px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere;
        font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
        .copy { flex: none; font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--line); border-radius: 6px;
        padding: 2px 10px; cursor: pointer; }
        .facts { margin: 4px 0; font-size: 0.875rem; }
        .facts div { display: grid; grid-template-columns: minmax(90px, 25%) 1fr; gap: 12px; padding: 3px 0;
        border-bottom: 1px solid var(--line); }
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
        .m1 { --method: var(--m1); } .m2 { --method: var(--m2); } .m3 { --method: var(--m3); } .m4 { --method: var(--m4); }
        .m5 { --method: var(--m5); } .m6 { --method: var(--m6); }
        .point { fill: var(--method); stroke: var(--page); stroke-width: 1; }
        .minor { fill: none; stroke: var(--method); stroke-width: 1.2; pointer-events: all; }
        .joint { fill: none; stroke: var(--method); stroke-width: 1.4; }
        .drop { stroke: var(--method); stroke-width: 1; stroke-dasharray: 2 3; }
        .series { fill: none; stroke: var(--method); stroke-width: 1.6; stroke-linejoin: round; }
        .error { stroke: var(--method); stroke-width: 1; }
        .worse { --method: var(--m1); } .better { --method: var(--m2); }
        .heat1 { background: color-mix(in srgb, var(--method) 10%, transparent); }
        .heat2 { background: color-mix(in srgb, var(--method) 20%, transparent); }
        .heat3 { background: color-mix(in srgb, var(--method) 32%, transparent); }
        .heat4 { background: color-mix(in srgb, var(--method) 46%, transparent); }
        .heat5 { background: color-mix(in srgb, var(--method) 60%, transparent); }
        .dash1 { stroke-dasharray: 7 3; } .dash2 { stroke-dasharray: 2 3; } .dash3 { stroke-dasharray: 9 3 2 3; }
        @media screen and (max-width: 640px) { main { padding: 14px; } .wide { display: none; } .narrow { display: block;
          max-width: 480px; } .lead { font-size: 1.05rem; } tbody th { min-width: 112px; } th, td { padding-right: 9px; }
          .stack thead { position: absolute; clip-path: inset(50%); } .stack table, .stack tbody { display: block; }
          .stack tr { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 7px 0; border-bottom: 1px solid var(--line); }
          .stack th, .stack td { display: block; border: 0; padding: 0; white-space: normal; }
          .stack tbody th { flex: 1 1 calc(100% - 150px); min-width: 0; font-weight: 600; }
          .stack td { order: 1; text-align: left; font-size: 0.8125rem; } .stack td::before { content: attr(data-label) " ";
          color: var(--muted); }
          .stack .key { order: 0; max-width: 150px; text-align: right; font-size: 0.875rem; } .stack .key::before { display: block;
          font-size: 0.75rem; }
          dialog[open] { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); }
          .stack .missing { display: none; } .stack .detail { display: inline; white-space: normal; margin-left: 4px; }
          .stack .key .detail { display: block; } }
        @media print { body { font-size: 11pt; } main { max-width: none; padding: 0; }
          figure, .tiles, .strip, .scroll, .facts, tr, #warnings, .code { break-inside: avoid; } h2, h3 { break-after: avoid; }
          .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding-right: 10px; } * { print-color-adjust: exact;
          -webkit-print-color-adjust: exact; } }

        """;
}
