namespace FewStep.Search;

/// <summary>The power family of weightings: g(s) = s^-p for p above 0, -ln s for p = 0, -s^-p for p below 0.</summary>
/// <remarks>
/// p = 1 is the bound of the probability-flow ODE (our reading of arXiv 2412.10786), p = 2 the variational bound of discrete-time diffusion
/// (VDM; Align Your Steps), and p = 0 assumes that later steps carry an error along instead of shrinking it.
/// </remarks>
internal sealed class PowerWeighting : INoiseWeighting
{
    public const double DefaultPower = 0;

    /// <summary>The power of the literal ODE bound, 1, which is always reported beside the chosen one.</summary>
    public const double LiteralPower = 1;

    /// <summary>The largest power, and less its sign the smallest.</summary>
    public const double LargestPower = 4;

    public PowerWeighting(double power = DefaultPower)
    {
        if (!(power is >= -LargestPower and <= LargestPower))
            throw new InvalidInputException($"The weighting's power must lie between {-LargestPower} and {LargestPower}, not {power}.");
        Power = power;
    }

    public double Power { get; }
    public string Name => InvariantText.Of($"power {Power}");

    public double Value(double sigma) => Power switch
    {
        > 0 => Math.Pow(sigma, -Power),
        0 => -Math.Log(sigma),
        _ => -Math.Pow(sigma, -Power),
    };

    public double Derivative(double sigma) => Power == 0 ? -1 / sigma : -Math.Abs(Power) * Math.Pow(sigma, -Power - 1);
}
