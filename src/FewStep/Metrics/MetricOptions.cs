namespace FewStep.Metrics;

/// <summary>How image metrics are computed; the defaults are those of the papers.</summary>
public sealed record MetricOptions
{
    /// <summary>Random subsets that a kernel distance is the mean of, 1 to 10,000. Default 100, as in torch-fidelity.</summary>
    public int KernelSubsets { get; init; } = 100;

    /// <summary>Images of each set in such a subset, 2 to 100,000; all of them where a set has fewer. Default 1,000.</summary>
    public int KernelSubsetSize { get; init; } = 1000;

    /// <summary>Neighbours that span the manifolds of precision and recall, 1 to 100. Default 3 (Kynkäänniemi et al. 2019).</summary>
    public int ManifoldNeighbours { get; init; } = 3;

    /// <summary>Neighbours of density and coverage, 1 to 100. Default 5 (Naeem et al. 2020).</summary>
    public int CoverageNeighbours { get; init; } = 5;

    /// <summary>Parts of a set that its class score is the mean of, 1 to 1,000. Default 10 (Salimans et al. 2016).</summary>
    public int ScoreSplits { get; init; } = 10;

    /// <summary>Most images of a set whose features are kept for kernel distance and neighbours, 10 to 1,000,000: the first ones of the
    /// set's (random) order. Default 50,000, 400 MB of Inception features.</summary>
    public int KeptImages { get; init; } = 50_000;

    /// <summary>Seed of random subsets and orders, 0 or more. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="InvalidInputException">A value is out of range; one line lists all that are.</exception>
    public void Check()
    {
        new OptionRules("The metrics cannot be computed so")
            .Require(KernelSubsets is >= 1 and <= 10_000, $"kernel_subsets {KernelSubsets} must be 1 to 10000")
            .Require(KernelSubsetSize is >= 2 and <= 100_000, $"kernel_subset_size {KernelSubsetSize} must be 2 to 100000")
            .Require(ManifoldNeighbours is >= 1 and <= 100, $"manifold_neighbours {ManifoldNeighbours} must be 1 to 100")
            .Require(CoverageNeighbours is >= 1 and <= 100, $"coverage_neighbours {CoverageNeighbours} must be 1 to 100")
            .Require(ScoreSplits is >= 1 and <= 1000, $"score_splits {ScoreSplits} must be 1 to 1000")
            .Require(KeptImages is >= 10 and <= 1_000_000, $"kept_images {KeptImages} must be 10 to 1000000")
            .Require(Seed >= 0, $"seed {Seed} must be 0 or more")
            .Check();
    }
}
