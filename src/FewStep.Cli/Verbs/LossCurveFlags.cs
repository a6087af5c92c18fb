namespace FewStep.Cli.Verbs;

/// <summary>Options of the loss curve's measurement, for the verbs that may measure one.</summary>
internal sealed class LossCurveFlags
{
    private static readonly LossCurveOptions Default = new();
    private readonly Option<int> _points = Flag.Of("--curve-points", "Noise levels of the loss curve.", Default.Points);

    private readonly Option<double> _regret = Flag.Of(
        "--regret", "Measure until a schedule found on the curve is expected to lose at most this for having seen no other images, "
            + "relative to the part of the discretization loss that schedules can change.", Default.RelativeRegret);

    private readonly Option<double?> _precision = Flag.Optional<double?>("--precision", "Go on until the 95 % interval of every schedule's "
        + "discretization loss is at most this wide on each side, relative to it; left out, that does not matter.");

    private readonly Option<int> _images = Flag.Of("--curve-images", "Most images for the loss curve.", Default.MaximumImages);

    private readonly Option<int> _batch = Flag.Of(
        "--curve-batch", "Noised images in one evaluation while measuring the loss curve.", Default.BatchSize);

    /// <summary>A curve in place of a measured one, for the verbs that take one.</summary>
    public Option<string?> File { get; } = Flag.Optional<string?>("--curve", "A loss-curve.json to use instead of measuring one.", "file");

    public void AddTo(Command command)
    {
        command.Add(_points);
        command.Add(_regret);
        command.Add(_precision);
        command.Add(_images);
        command.Add(_batch);
    }

    /// <summary>The curve that is given; null where one is to be measured.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="hash">Hash of the model that the curve has to be of.</param>
    public LossCurve? ReadFile(ParseResult parsed, string hash) =>
        parsed.GetValue(File) is string file ? LossCurveFile.ReadFor(file, hash) : null;

    public LossCurveOptions Read(ParseResult parsed) => new()
    {
        Points = parsed.GetValue(_points),
        RelativeRegret = parsed.GetValue(_regret),
        RelativePrecision = parsed.GetValue(_precision),
        MaximumImages = parsed.GetValue(_images),
        BatchSize = parsed.GetValue(_batch),
    };
}
