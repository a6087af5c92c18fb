namespace FewStep.Denoising;

/// <summary>How strongly, and at which noise levels, a model is guided.</summary>
public sealed record Guidance
{
    private const double LargestWeight = 1000;

    /// <summary>The weight w of D = D_guide + w (D - D_guide), 0 to 1000: 1 (default) is the model alone, above 1 it is pushed away from
    /// its guide.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Guidance acts above this noise level only, 0 or more; default 0.</summary>
    public double SigmaLow { get; init; }

    /// <summary>Guidance acts up to this noise level only, above <see cref="SigmaLow"/>; default infinity. Intervals are from Kynkäänniemi
    /// et al. 2024 (2404.07724).</summary>
    public double SigmaHigh { get; init; } = double.PositiveInfinity;

    /// <summary>How much of the guided image's contrast is brought back to that of the image without guidance, phi in 0 to 1: 0 (default)
    /// leaves it as guidance made it, 1 gives each denoised image the standard deviation that it had, over all of its values. Source: Lin
    /// et al. 2023 (2305.08891), section 3.4, here on denoised images.</summary>
    public double Rescale { get; init; }

    /// <summary>Whether it acts at every noise level.</summary>
    internal bool ActsEverywhere => SigmaLow == 0 && double.IsPositiveInfinity(SigmaHigh);

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="InvalidInputException">All broken rules, in one line.</exception>
    public void Validate() => new OptionRules("The guidance is invalid")
        .Require(Weight is >= 0 and <= LargestWeight, $"its weight {Weight} is not in 0 to {LargestWeight}")
        .Require(Rescale is >= 0 and <= 1, $"its rescale {Rescale} is not in 0 to 1")
        .Require(SigmaLow >= 0 && SigmaHigh > SigmaLow,
            $"its interval {SigmaLow} to {SigmaHigh} must begin at 0 or more and end above its beginning")
        .Check();

    /// <inheritdoc/>
    public override string ToString() => InvariantText.Of($"weight {Weight:R}{(SigmaLow > 0
        || SigmaHigh < double.PositiveInfinity ? InvariantText.Of($", sigma {SigmaLow:R} to {SigmaHigh:R}") : "")}{(Rescale > 0
        ? InvariantText.Of($", rescale {Rescale:R}") : "")}");
}
