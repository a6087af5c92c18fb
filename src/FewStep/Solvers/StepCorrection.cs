namespace FewStep.Solvers;

/// <summary>What a fitted sampler adds to its base solver's step: (1 - r) [sum_j c_j (D_(i-j) - D_(i-j+1)) + b (x_i - D_i) + a x_i], r =
/// s_(i+1) / s_i. All zeros are the base itself.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record StepCorrection
{
    public static readonly StepCorrection None = new();

    /// <summary>c_1, c_2, ...: weights of the differences of successive outputs, the newest first.</summary>
    [JsonRequired] public ImmutableArray<double> Differences { get; init; } = [];

    /// <summary>b, the weight of x_i - D_i.</summary>
    [JsonRequired] public double Slope { get; init; }

    /// <summary>a, the weight of x_i by itself: with it x_i and D_i are weighed separately. Past states would add nothing, as each is an
    /// affine combination of x_i and of outputs.</summary>
    public double Scale { get; init; }

    /// <summary>The noise level that the network is told at x_i; null for sigma_i.</summary>
    public double? NoiseLevel { get; init; }

    /// <summary>All weights, the differences' first.</summary>
    [JsonIgnore]
    public IEnumerable<double> Weights => [.. Differences, Slope, Scale];

    public bool Equals(StepCorrection? other)
        => other is not null && NoiseLevel == other.NoiseLevel && Weights.SequenceEqual(other.Weights);

    public override int GetHashCode() => HashCode.Combine(Differences.Length, Slope, Scale, NoiseLevel);

    /// <summary>Adds the correction to the base's next state, which it changes.</summary>
    public void AddTo(Tensor next, SolverStep step)
    {
        double h = 1 - (step.NextSigma / step.Sigma);
        Add(next, step.State, h * (Slope + Scale));
        // The differences, gathered by output.
        for (int j = 0; j <= Differences.Length; j++)
        {
            double weight = (j == 0 ? -Slope : Differences[j - 1]) - (j < Differences.Length ? Differences[j] : 0);
            Add(next, j == 0 ? step.Denoised : step.History[j - 1].Denoised, h * weight);
        }
    }

    private static void Add(Tensor sum, Tensor term, double weight)
    {
        if (weight != 0)
            sum.Plus_(term, weight);
    }
}
