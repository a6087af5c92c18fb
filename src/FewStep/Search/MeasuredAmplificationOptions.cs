namespace FewStep.Search;

/// <summary>How to measure the amplification of a model's flow, and how well.</summary>
internal sealed record MeasuredAmplificationOptions
{
    /// <summary>Steps of the solver over the whole range, even, 8 to 200; default 20. Every second of its noise levels is measured, so
    /// evaluations grow with the square.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Number of latents, 1 or more; default 6. With 20 steps a latent costs 261 evaluations.</summary>
    public int Latents { get; init; } = 6;

    /// <summary>
    /// Length of a perturbation over all values of an image, in units of the noise level: 0.001 to 2, default 1, which is the standard
    /// deviation of the noise along any one direction. Smaller ones are nearer to the derivative, larger ones stand further above the
    /// network's rounding.
    /// </summary>
    public double Perturbation { get; init; } = 1;

    /// <summary>Seed of the first latents; by default the first that belongs to searches alone.</summary>
    public long FirstSeed { get; init; } = Sampling.SeedPlan.FirstSearched;

    /// <summary>Images in one call of the denoiser, 2 or more (a latent is perturbed both ways at once); default 64. It changes speed and
    /// memory, and the numbers only as far as the network's rounding does.</summary>
    public int BatchSize { get; init; } = 64;

    public void Validate() =>
        new OptionRules("The amplification cannot be measured")
            .Require(Steps is >= 8 and <= 200 && Steps % 2 == 0, $"steps must be an even number from 8 to 200, not {Steps}")
            .Require(Latents is >= 1 and <= 100_000, $"there must be 1 to 100000 latents, not {Latents}")
            .Require(Perturbation is >= 0.001 and <= 2, $"the perturbation must lie between 0.001 and 2, not {Perturbation}")
            .Require(FirstSeed >= 0 && FirstSeed + Latents - 1 <= Sampling.Latents.MaximumSeed,
                $"seeds must lie between 0 and {Sampling.Latents.MaximumSeed}, not {FirstSeed} and up")
            .Require(BatchSize >= 2, $"the batch size must be at least 2, not {BatchSize}")
            .Check();
}
