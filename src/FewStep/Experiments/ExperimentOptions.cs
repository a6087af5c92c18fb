using FewStep.Data;
using FewStep.Experiments;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Shards;

namespace FewStep;

/// <summary>How an experiment samples, and what its summary says of it.</summary>
public sealed record ExperimentOptions
{
    /// <summary>Title of the summary.</summary>
    public string Title { get; init; } = "few-step samples compared";

    /// <summary>Folder for measurements, the teacher's endpoints and pictures; what lies there is not done again. Null (default) keeps
    /// measurements in memory and draws no pictures.</summary>
    public string? Folder { get; init; }

    /// <summary>Samples in each range of seeds, 2 or more; default 1,000. Distances compare only at the same number.</summary>
    public int Samples { get; init; } = 1000;

    /// <summary>Disjoint ranges of seeds, 1 to 1,000; default 3. Their spread is reported.</summary>
    public int Ranges { get; init; } = 3;

    /// <summary>Seed of the first image, 0 or more; default 0.</summary>
    public long FirstSeed { get; init; }

    /// <summary>Images sampled at a time, 1 to 100,000; default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Image seeds in the pictures, at most <see cref="ImageStrips.MaximumImages"/>; default 0 to 9.</summary>
    public IReadOnlyList<long> ShownSeeds { get; init; } = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    /// <summary>What trials must agree in to be compared; default <see cref="ComparisonAxis.Steps"/>.</summary>
    public ComparisonAxis Axis { get; init; } = ComparisonAxis.Steps;

    /// <summary>The number that headline and pictures are about; null (default) for 4, or the least.</summary>
    public int? ShownNumber { get; init; }

    /// <summary>Real images beside the reference, on which the floor of the metrics is measured; null (default) for none. Not
    /// owned.</summary>
    public IImageSet? FloorImages { get; init; }

    /// <summary>Name of the real images for readers; null (default) for the model's.</summary>
    public string? DataName { get; init; }

    /// <summary>Seed of the choice of those images; default 0.</summary>
    public long Seed { get; init; }

    /// <summary>The fine sampler's images, where a metric compares with them; null (default) for none. Not owned.</summary>
    internal TeacherEndpoints? Endpoints { get; init; }

    /// <summary>The stage of divided work that the experiment is run for; null (default) for all of it.</summary>
    internal Division? Division { get; init; }

    /// <summary>The loss curve that discretization losses are taken on; null (default) for none.</summary>
    internal LossCurve? Curve { get; init; }

    internal IReadOnlyList<SeedRange> SeedRanges => SeedRange.Consecutive(FirstSeed, Samples, Ranges);

    internal void Check() => new OptionRules("The experiment cannot start")
        .Require(Samples >= 2, $"samples must be at least 2, not {Samples}")
        .Require(Ranges is >= 1 and <= 1000, $"ranges must lie between 1 and 1000, not {Ranges}")
        .Require(BatchSize is >= 1 and <= 100_000, $"the batch must lie between 1 and 100000, not {BatchSize}")
        .Require(
            FirstSeed >= 0 && FirstSeed + ((long)Samples * Ranges) - 1 <= SeedPlan.LastEvaluated,
            $"{Ranges} ranges of {Samples} samples from seed {FirstSeed} leave the seeds of evaluations, 0 to {SeedPlan.LastEvaluated}")
        .Require(
            ShownSeeds.Count <= ImageStrips.MaximumImages && ShownSeeds.All(s => s is >= 0 and <= Latents.MaximumSeed),
            $"at most {ImageStrips.MaximumImages} seeds from 0 to {Latents.MaximumSeed} can be shown, not {ShownSeeds.Count}")
        .Check();
}
