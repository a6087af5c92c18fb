namespace FewStep.Search;

/// <summary>Joins the curve of a tuned model around the levels that it was tuned on with the pre-trained model's elsewhere: a tuned model
/// forgets the levels between, so its own curve would only confirm the schedule it was tuned on.</summary>
internal static class LossCurveBlend
{
    /// <summary>The blended curve: ln L = (1 - w) ln L_pretrained + w ln L_tuned, with w = 1 at a tuned level, falling smoothly to 0 at
    /// <paramref name="width"/> from the nearest one.</summary>
    public static FittedLossCurve Blend(FittedLossCurve pretrained, FittedLossCurve tuned, IReadOnlyList<double> tunedLevels, double width)
    {
        if (!(width > 0) || !double.IsFinite(width) || tunedLevels.Any(s => !(s > 0) || !double.IsFinite(s)))
            throw new ArgumentException("The width and all tuned levels must be finite and above 0.", nameof(width));
        double[] sigmas = Points(pretrained, tunedLevels, width);
        double[] losses = Array.ConvertAll(sigmas, s =>
        {
            double distance = tunedLevels.Select(level => Math.Abs(Math.Log(s / level)) / width).DefaultIfEmpty(1).Min();
            double inside = Math.Max(0, 1 - (distance * distance));
            double w = inside * inside;
            return Math.Exp(((1 - w) * Math.Log(pretrained.Loss(s))) + (w * Math.Log(tuned.Loss(s))));
        });
        return new FittedLossCurve(sigmas, losses);
    }

    // The pre-trained curve's levels may lie too far apart to show what happens around a tuned one.
    private static double[] Points(FittedLossCurve pretrained, IReadOnlyList<double> tunedLevels, double width)
    {
        const double closest = 1e-6;
        double[] shifts = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];
        var points = new List<double>(pretrained.Sigmas);
        var (low, high) = (pretrained.Sigmas.Min(), pretrained.Sigmas.Max());
        foreach (double sigma in tunedLevels.SelectMany(level => shifts.Select(shift => level * Math.Exp(shift * width))))
        {
            if (sigma > low && sigma < high && points.TrueForAll(p => Math.Abs(Math.Log(sigma / p)) > closest))
                points.Add(sigma);
        }

        return [.. points.Order()];
    }
}
