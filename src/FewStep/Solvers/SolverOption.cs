using System.Collections.Immutable;

namespace FewStep.Solvers;

/// <summary>An option of a solver in its text form, <c>key=value</c>: one of several words, or a number.</summary>
/// <param name="Key">Its name, lower case with hyphens.</param>
/// <param name="Default">The value where it is left out.</param>
/// <param name="Description">One line.</param>
public sealed record SolverOption(string Key, string Default, string Description)
{
    /// <summary>The words to choose from; empty for a number.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>Smallest number.</summary>
    public double Minimum { get; init; }

    /// <summary>Largest number.</summary>
    public double Maximum { get; init; }

    /// <summary>What may be given, in one line: <c>bh1|bh2</c>, <c>0.1 to 1</c>.</summary>
    public string Values => Choices.IsEmpty ? FormattableString.Invariant($"{Minimum} to {Maximum}") : string.Join('|', Choices);

    /// <summary><c>predict</c>: what an exponential solver extrapolates.</summary>
    internal static SolverOption Predict { get; } = new("predict", "data", "extrapolates the denoiser's output (data) or the slope (noise)") { Choices = ["data", "noise"] };

    /// <summary><c>lower-order-final</c>.</summary>
    internal static SolverOption LowerOrderFinal { get; } = Flag("lower-order-final", true, "the last steps fall to order 1, which steadies runs of few steps");

    /// <summary><c>thresholding</c>.</summary>
    internal static SolverOption Thresholding { get; } = Flag("thresholding", true, "limits each output to [-1, 1] by dynamic thresholding; with predict=data only");

    /// <summary><c>coefficients</c>.</summary>
    internal static SolverOption Coefficients { get; } = new("coefficients", "published", "as in the reference implementation, or as the order needs") { Choices = ["published", "exact"] };

    private static SolverOption Flag(string key, bool usual, string description) => new(key, usual ? "true" : "false", description) { Choices = ["true", "false"] };
}
