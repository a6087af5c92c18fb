namespace FewStep.Cli.Verbs;

/// <summary>Options of the loss curve's measurement, for the verbs that may measure one.</summary>
internal sealed class LossCurveFlags(Command command)
{
    private static readonly LossCurveOptions Default = new();
    private readonly Option<int> _points = command.Option("--curve-points", "Noise levels of the loss curve.", Default.Points);

    private readonly Option<double> _regret = command.Option(
        "--regret", "Measure until a schedule found on the curve is expected to lose at most this for having seen no other images, "
            + "relative to the part of the discretization loss that schedules can change.", Default.RelativeRegret);

    private readonly Option<double?> _precision = command.Optional<double?>(
        "--precision", "Go on until the 95 % interval of every schedule's "
            + "discretization loss is at most this wide on each side, relative to it; left out, that does not matter.");

    private readonly Option<int> _images = command.Option("--curve-images", "Most images for the loss curve.", Default.MaximumImages);

    private readonly Option<int> _batch = command.Option(
        "--curve-batch", "Noised images in one evaluation while measuring the loss curve.", Default.BatchSize);

    public LossCurveOptions Read(ParseResult parsed) => new()
    {
        Points = parsed.GetValue(_points),
        RelativeRegret = parsed.GetValue(_regret),
        RelativePrecision = parsed.GetValue(_precision),
        MaximumImages = parsed.GetValue(_images),
        BatchSize = parsed.GetValue(_batch),
    };
}
