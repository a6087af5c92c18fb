using FewStep.Sampling;

namespace FewStep.Metrics;

/// <summary>How far samples end from a fine teacher's images of the same latents, before clipping and rounding.</summary>
internal sealed class EndpointMetric(FineTeacher teacher) : IJoinableMetric
{
    public static MetricEntry Entry { get; } = new("endpoint", "distance to a fine teacher's images of the same seeds", MetricNeeds.Teacher,
        context => new EndpointMetric(context.Teacher!));

    public IReadOnlyList<MetricFigure> Figures { get; } =
    [
        new(Entry.Name, "endpoint distance", "Endpoint RMS",
            $"Root-mean-square difference of a pixel value ([-1,1]), or of a latent model's latents, between a sample and what the "
                + $"teacher ({teacher.Name}) makes of the same seed, mean over the samples; lower is better.",
            HigherIsBetter: false),
    ];

    public string Identity => $"endpoint of\n{teacher.Identity}";
    public bool ComparesWithRealImages => false;

    public IMetricMeasurement Begin(int images, SeedRange? seeds) => seeds is null
        ? throw new InvalidInputException(
            "Stored images have no seeds, so there are no images of a teacher to compare them with; leave the metric endpoint out.")
        : new Measurement(teacher, seeds);

    public IJoinableMeasurement Begin(SeedRange whole, SeedRange part) => new Measurement(teacher, part);

    private sealed class Measurement(FineTeacher teacher, SeedRange seeds) : IJoinableMeasurement
    {
        private const string Distances = "distances";
        private readonly PairedDistance _distance = new();
        private Tensor? _ends; // not asked for where sums are joined

        public void Add(MeasuredImages batch)
        {
            _ends ??= teacher.Images(seeds);
            using var partners = _ends.narrow(0, _distance.Images, batch.Count);
            _distance.Add(batch.Samples, partners);
        }

        public IReadOnlyDictionary<string, Tensor> Sums() => new Dictionary<string, Tensor> { [Distances] = _distance.Sums() };
        public void Join(IReadOnlyDictionary<string, Tensor> sums) => _distance.Join(sums.Sum(Distances, ScalarType.Float64, 3));
        public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) => [new(_distance.MeanRootMeanSquare)];

        public void Dispose()
        {
            // The teacher's images are its own.
        }
    }
}
