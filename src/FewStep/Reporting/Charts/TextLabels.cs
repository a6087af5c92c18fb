namespace FewStep.Reporting.Charts;

/// <summary>Fits labels without a font at hand: the browser chooses it, so widths are estimates on the safe side.</summary>
internal static class TextLabels
{
    public static double Width(string text, double fontSize) => fontSize * text.EnumerateRunes().Sum(r => r.Value < 0x2E80 ? 0.58 : 1.05);

    /// <summary>The text, cut with an ellipsis where it is wider than <paramref name="width"/> pixels.</summary>
    public static string Fit(string text, double width, double fontSize)
    {
        if (Width(text, fontSize) <= width)
            return text;
        var kept = new System.Text.StringBuilder();
        double used = Width("…", fontSize);
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            used += Width(rune.ToString(), fontSize);
            if (used > width)
                break;
            kept.Append(rune.ToString());
        }

        return kept.Append('…').ToString();
    }

    /// <summary>Chooses labels, centred at given positions, that do not touch each other: both ends first, then in order.</summary>
    public static IReadOnlySet<int> Choose(IReadOnlyList<(double Position, string Text)> labels, double fontSize)
    {
        const double gap = 6;
        var shown = new HashSet<int>();
        IEnumerable<int> order = Enumerable.Range(0, labels.Count).OrderBy(i => i == 0 ? 0 : i == labels.Count - 1 ? 1 : 2);
        foreach (int i in order.Where(i => double.IsFinite(labels[i].Position)))
        {
            double half = Width(labels[i].Text, fontSize) / 2;
            if (shown.All(j => Math.Abs(labels[i].Position - labels[j].Position) >= half + (Width(labels[j].Text, fontSize) / 2) + gap))
                shown.Add(i);
        }

        return shown;
    }
}
