namespace FewStep.Search;

/// <summary>The file form of a loss curve, <c>loss-curve.json</c>, version 1.</summary>
/// <remarks>It holds the covariance of the means instead of each image's losses: enough for the confidence interval of any schedule, and
/// small.</remarks>
internal static class LossCurveFile
{
    public const string Name = "loss-curve.json";
    public const int Version = 1;

    public static LossCurve Read(string path)
    {
        var content = JsonFile.Read<Content>(path);
        if (content.Version != Version)
        {
            throw new InvalidInputException($"{path} is a loss curve of version {content.Version}; this program reads version {Version}: "
                + "measure the curve again, or use the program that wrote it.");
        }

        LossCurve curve;
        try
        {
            var origin = new LossCurveOrigin(content.NetworkEvaluations, content.Seconds, content.StopReason, content.RelativeHalfWidth,
                content.Seed, content.ModelHash, content.RelativeRegret, content.MeanImageLoss,
                content.Source is null ? null : Printable.Line(content.Source, 200));
            curve = new LossCurve(content.Sigmas, content.Loss, content.Covariance, content.Images, origin, content.Confidence);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }

        CheckDerived(path, "standard_error", content.StandardError, curve.StandardError, curve);
        CheckDerived(path, "ci_low", content.CiLow, [.. curve.Sigmas.Select((_, k) => curve.Point(k).Low!.Value)], curve);
        CheckDerived(path, "ci_high", content.CiHigh, [.. curve.Sigmas.Select((_, k) => curve.Point(k).High!.Value)], curve);
        return curve;
    }

    /// <summary>Reads a file that is to be the curve of a certain model.</summary>
    public static LossCurve ReadFor(string path, string modelHash)
    {
        var curve = Read(path);
        return curve.Origin.ModelHash is null || curve.Origin.ModelHash == modelHash
            ? curve
            : throw new InvalidInputException(
                $"{path} is the loss curve of another model; measure this one's, or name the model that the curve is of.");
    }

    public static void Write(string path, LossCurve curve)
    {
        int points = curve.Sigmas.Length;
        JsonFile.Write(path, new Content(
            Version, curve.Images, curve.Origin.NetworkEvaluations, curve.Origin.Seconds, curve.Origin.Stop, curve.Origin.RelativeHalfWidth,
            curve.Origin.Seed, curve.Confidence, [.. curve.Sigmas], [.. curve.Loss], [.. curve.StandardError],
            [.. Enumerable.Range(0, points).Select(k => curve.Point(k).Low!.Value)],
            [.. Enumerable.Range(0, points).Select(k => curve.Point(k).High!.Value)],
            [.. Enumerable.Range(0, points).Select(k => Enumerable.Range(0, points).Select(l => curve.Covariance(k, l)).ToArray())],
            curve.Origin.ModelHash, curve.Origin.RelativeRegret, curve.Origin.MeanImageLoss,
            curve.Origin.Source));
    }

    // Derived columns are for readers with other tools; a file in which they disagree was edited by hand, and one of the two is wrong.
    private static void CheckDerived(string path, string name, double[] written, IReadOnlyList<double> derived, LossCurve curve)
    {
        if (written.Length != derived.Count)
        {
            throw new InvalidInputException(
                $"{path}: {name} has {written.Length} numbers for {derived.Count} sigmas. Measure the curve again.");
        }

        for (int k = 0; k < written.Length; k++)
        {
            if (!(Math.Abs(written[k] - derived[k]) <= 1e-6 * (Math.Abs(derived[k]) + curve.Loss[k])))
            {
                throw new InvalidInputException(
                    $"{path}: {name}[{k}] is {written[k]:R}, but loss and covariance say {derived[k]:R}. Measure the curve again.");
            }
        }
    }

    private sealed record Content(
        int Version, long Images, long NetworkEvaluations, double Seconds, LossCurveStop StopReason, double RelativeHalfWidth, long Seed,
        double Confidence, double[] Sigmas, double[] Loss, double[] StandardError, double[] CiLow, double[] CiHigh, double[][] Covariance,
        string? ModelHash = null, double? RelativeRegret = null, double? MeanImageLoss = null,
        string? Source = null);
}
