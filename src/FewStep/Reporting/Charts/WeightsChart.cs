namespace FewStep.Reporting.Charts;

/// <summary>What each state of a sampler is made of: a row a step, a bar an output of the denoiser at its noise level, up where it is added
/// and down where it is taken away; beside it the same of another sampler on the same sigmas.</summary>
internal static class WeightsChart
{
    private const double Row = 74;

    /// <param name="weights">A row a step: weights of the outputs at the sigmas; null where there is no output yet.</param>
    public static XElement Draw(string id, IReadOnlyList<double> sigmas, double[][] weights, double[][] beside, ChartSize size)
    {
        double largest = weights.Concat(beside).SelectMany(r => r).Select(Math.Abs).Append(1).Max();
        double height = (weights.Length * Row) + 52;
        Axis x = LogAxis.Covering(sigmas, 64, size.Width - 26);
        return Svg.Chart($"{id}-{size.Suffix}", size, height, "Weights of the denoiser's outputs, step by step",
            string.Join("; ", weights.Select((row, i) => $"step {NumberText.Count(i + 1)}: {string.Join(", ", row.Select(Number))}")),
            [
                .. PlotArea.HorizontalAxis(x, 8, (weights.Length * Row) + 8, "noise level σ of the output (log scale)"),
                .. weights.SelectMany((row, i) => Bars(i, row, beside[i])),
            ]);

        IEnumerable<XElement> Bars(int step, double[] row, double[] other)
        {
            double middle = 8 + (step * Row) + (Row / 2), unit = (Row / 2 - 12) / largest;
            yield return Svg.Line(x.Start, middle, x.End, middle, "grid");
            yield return Svg.Text(x.Start - 8, middle + 4, $"step {NumberText.Count(step + 1)}", "tick", "end");
            for (int j = 0; j < row.Length; j++)
            {
                double at = x.Position(sigmas[j]);
                yield return Svg.Line(at + 4, middle, at + 4, middle - (unit * other[j]), "bar standard");
                yield return Svg.Line(at - 4, middle, at - 4, middle - (unit * row[j]), "bar m1");
                double edge = middle - (unit * row[j]);
                yield return Svg.Text(at - 10, row[j] < 0 ? edge + 6 : edge + 4, Number(row[j]), "value", "end");
            }
        }
    }

    private static string Number(double weight) => NumberText.Significant(weight, 2);
}
