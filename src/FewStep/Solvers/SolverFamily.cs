namespace FewStep.Solvers;

/// <summary>A solver by its name, with the orders and options that it comes in.</summary>
internal sealed record SolverFamily(string Name, string Description, string Source, Func<SolverSettings, ISolver> Make)
{
    /// <summary>The orders that may follow the name after a colon, rising; empty where there is but one.</summary>
    public ImmutableArray<int> Orders { get; init; } = [];

    /// <summary>The order where none is given; null without <see cref="Orders"/>.</summary>
    public int? DefaultOrder { get; init; }

    public ImmutableArray<SolverOption> Options { get; init; } = [];

    /// <summary>How the text form looks, e.g. <c>unipc[:1..3][:variant=bh1|bh2]</c>.</summary>
    public string Form => Name
        + (Orders.IsEmpty ? "" : $"[:{Orders[0]}..{Orders[^1]}]")
        + string.Concat(Options.Select(o => $"[:{o.Key}={o.Values.Replace(" to ", "..", StringComparison.Ordinal)}]"));
}

/// <summary>An option of a solver in its text form, <c>key=value</c>: one of several words, or a number.</summary>
internal sealed record SolverOption(string Key, string Default, string Description)
{
    /// <summary>The words to choose from; empty for a number.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    public double Minimum { get; init; }
    public double Maximum { get; init; }

    /// <summary>The lowest order of the solver at which it makes a difference.</summary>
    public int FromOrder { get; init; } = 1;

    /// <summary>What may be given, in one line: <c>bh1|bh2</c>, <c>0.1 to 1</c>.</summary>
    public string Values => Choices.IsEmpty ? InvariantText.Of($"{Minimum} to {Maximum}") : string.Join('|', Choices);

    internal static SolverOption Predict { get; } = new("predict", "data", "extrapolates the denoiser's output (data) or the slope (noise)")
    { Choices = ["data", "noise"] };

    internal static SolverOption LowerOrderFinal { get; } = new("lower-order-final", "true",
        "the last steps fall to order 1, which steadies runs of few steps; denoise counts the denoise after them as the last one, as "
            + "diffusers does")
    { Choices = ["true", "false", "denoise"], FromOrder = 2 };

    internal static SolverOption Thresholding { get; } = Flag(
        "thresholding", "limits each output to [-1, 1] by dynamic thresholding; with predict=data only");

    /// <summary>Where a solver's reference implementation, with which published figures were made, falls short of the method's mathematics:
    /// the choice between the two. <c>docs/solvers.md</c> names each case.</summary>
    internal static SolverOption Coefficients { get; } = new(
        "coefficients", "published", "as in the reference implementation, or as the order needs")
    { Choices = ["published", "exact"], FromOrder = 2 };

    private static SolverOption Flag(string key, string description) => new(key, "true", description) { Choices = ["true", "false"] };
}

/// <summary>What an exponential solver takes to be smooth along the trajectory, and extrapolates.</summary>
internal enum SolverPrediction
{
    /// <summary>The denoiser's output D: data prediction (DPM-Solver++).</summary>
    Data,

    /// <summary>The slope (x - D) / sigma: noise prediction (DPM-Solver).</summary>
    Noise,
}
